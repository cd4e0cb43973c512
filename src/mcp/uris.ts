/** What our addresses name. */
export type Named =
  | { kind: "vms" }
  | { kind: "vm" | "console" | "screenshot"; vm: string }
  | { kind: "download" | "artifact"; vm: string; id: string };

const URI =
  /^hype:\/\/vms(?:\/([a-z0-9][a-z0-9-]{0,62})(?:\/(?:(console|screenshot)|(downloads|artifacts)\/([A-Za-z0-9-]{1,64})))?)?$/;

/** @returns null when it is none of ours */
export function readUri(uri: string): Named | null {
  const match = URI.exec(uri);
  if (!match) return null;
  const [, vm, part, files, id] = match;
  if (vm === undefined) return { kind: "vms" };
  if (id !== undefined) return { kind: files === "artifacts" ? "artifact" : "download", vm, id };
  return { kind: part === "console" || part === "screenshot" ? part : "vm", vm };
}

export const VMS_URI = "hype://vms";
export const vmUri = (name: string): string => `${VMS_URI}/${name}`;
