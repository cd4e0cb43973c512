import { ResourceNotFoundError, type ReadResourceResult, type Server } from "@modelcontextprotocol/server";
import * as v from "valibot";
import { GetDownload, HypeError, ReadDownload, Screenshot, type Vm } from "../contract/index.ts";
import { artifactLink } from "../tools/artifacts.ts";
import { line } from "../tools/markdown.ts";
import { holdsOperate } from "../tools/registry.ts";
import { brief } from "../tools/vm-words.ts";
import { type Named, readUri, VMS_URI, vmUri } from "./uris.ts";
import type { Visit } from "./visit.ts";

const PAGE = 100;
const COMPLETIONS = 100;
const CONSOLE_LINES = 200;
/** Artifacts on the list's first page, and of which ids are completed. */
const NEWEST = 50;
const ARTIFACTS = 200;
const DOWNLOADS_MS = 5_000;
const FILE_BYTES = 16 * 1024 * 1024;

const NOT_THERE: ReadonlySet<string> = new Set(["vm_not_found", "download_not_found", "artifact_not_found"]);

const TEMPLATES = [
  { uriTemplate: "hype://vms/{name}", name: "vm", title: "A VM", mimeType: "application/json" },
  { uriTemplate: "hype://vms/{name}/console", name: "console", title: "Console of a VM", mimeType: "text/plain" },
  { uriTemplate: "hype://vms/{name}/screenshot", name: "screenshot", title: "What a VM shows", mimeType: "image/png" },
  { uriTemplate: "hype://vms/{name}/downloads/{id}", name: "download", title: "A downloaded file" },
  { uriTemplate: "hype://vms/{name}/artifacts/{id}", name: "artifact", title: "A file that was kept" },
];

/** VMs as resources: listed, completed, read. What the key does not see is not there. */
export function serveResources(server: Server, visit: Visit): void {
  const { house, scope, vm: preset } = visit;
  const isShown = (vm: Vm) => preset === null || vm.name === preset;
  /** Pages and consoles are nobody's to look at who may not drive. */
  const mayLookIn = holdsOperate(scope);

  /** The files kept last; the rest is completed, and listed by a tool. */
  const newest = () => {
    if (!mayLookIn) return [];
    const { items } = house.artifacts({ limit: NEWEST, ...(preset !== null && { vm: preset }) });
    return items.map((kept) => ({
      uri: artifactLink(kept).uri,
      name: line(kept.name, 200),
      title: `${line(kept.name, 200)}, of ${kept.vm_name}`,
      description: `${kept.kind}, kept ${kept.created_at}`,
      mimeType: kept.content_type,
      size: kept.size_bytes,
    }));
  };

  server.setRequestHandler("resources/list", ({ params }) => {
    const offset = /^\d{1,6}$/.test(params?.cursor ?? "") ? Number(params?.cursor) : 0;
    const { items, total } = house.list({ sort: "name", limit: String(PAGE), offset: String(offset) });
    const all = { uri: VMS_URI, name: "vms", title: "VMs", mimeType: "application/json" };
    const vms = items.filter(isShown).map((vm) => ({
      uri: vmUri(vm.name),
      name: vm.name,
      title: `VM ${vm.name}`,
      description: vm.status,
      mimeType: "application/json",
    }));
    const isFirst = offset === 0;
    return {
      resources: [...(isFirst && preset === null ? [all] : []), ...vms, ...(isFirst ? newest() : [])],
      ...(offset + items.length < total && { nextCursor: String(offset + items.length) }),
    };
  });
  server.setRequestHandler("resources/templates/list", () => ({
    resourceTemplates: TEMPLATES.filter(({ name }) => name === "vm" || mayLookIn),
  }));
  server.setRequestHandler("completion/complete", async ({ params }, { mcpReq }) => {
    const { ref, argument, context } = params;
    const { name, value } = argument;
    const signal = AbortSignal.any([mcpReq.signal, visit.ended]);
    const known =
      name === "name" || name === "vm"
        ? house
            .list({ q: value.slice(0, 64), sort: "name", limit: "1000" })
            .items.filter(isShown)
            .map((vm) => vm.name)
        : name === "id" && ref.type === "ref/resource" && mayLookIn
          ? await idsOf(visit, ref.uri, preset ?? context?.arguments?.name, signal)
          : [];
    const found = known.filter((it) => it.startsWith(value));
    return {
      completion: { values: found.slice(0, COMPLETIONS), total: found.length, hasMore: found.length > COMPLETIONS },
    };
  });
  server.setRequestHandler("resources/read", async ({ params: { uri } }, { mcpReq }) => {
    const named = readUri(uri);
    const isOther = named !== null && preset !== null && (named.kind === "vms" || named.vm !== preset);
    if (!named || isOther || (!mayLookIn && named.kind !== "vms" && named.kind !== "vm"))
      throw new ResourceNotFoundError(uri);
    try {
      return { contents: [await read(visit, uri, named, AbortSignal.any([mcpReq.signal, visit.ended]))] };
    } catch (thrown) {
      if (thrown instanceof HypeError && NOT_THERE.has(thrown.code))
        throw new ResourceNotFoundError(uri, thrown.message);
      throw thrown;
    }
  });
}

/** Ids of files, newest first. What cannot be asked now completes to nothing. */
async function idsOf(
  { house }: Visit,
  template: string,
  vm: string | undefined,
  signal: AbortSignal,
): Promise<string[]> {
  try {
    if (template.includes("/artifacts/"))
      return house.artifacts({ limit: ARTIFACTS, ...(vm !== undefined && { vm }) }).items.map(({ id }) => id);
    if (vm === undefined) return [];
    const { items } = await house.onBrowser(vm, signal, (guest, usable) =>
      guest.downloads.list({ timeout_ms: DOWNLOADS_MS }, usable),
    );
    return items.map(({ id }) => id).toReversed();
  } catch (thrown) {
    if (thrown instanceof HypeError) return [];
    throw thrown;
  }
}

type Contents = ReadResourceResult["contents"][number];

async function read({ house }: Visit, uri: string, named: Named, signal: AbortSignal): Promise<Contents> {
  const json = (value: unknown): Contents => ({ uri, mimeType: "application/json", text: JSON.stringify(value) });
  const blob = (bytes: Uint8Array, mimeType: string): Contents => ({
    uri,
    mimeType,
    blob: Buffer.from(bytes).toString("base64"),
  });
  switch (named.kind) {
    case "vms": {
      const { items, total } = house.list({ sort: "name", limit: "1000" });
      return json({ vms: items.map(brief), total });
    }
    case "vm":
      return json(house.get(named.vm));
    case "console":
      return { uri, mimeType: "text/plain", text: await house.logs(named.vm, "console", CONSOLE_LINES, signal) };
    case "screenshot": {
      const shot = await house.onBrowser(named.vm, signal, (guest, usable) =>
        guest.screenshot(v.parse(Screenshot, {}), usable),
      );
      return blob(shot.bytes, shot.contentType);
    }
    case "artifact": {
      const { content_type: type, vm_name: vm } = house.artifact(named.id);
      if (vm !== named.vm) throw new HypeError("artifact_not_found", `${named.vm} has no artifact ${named.id}`);
      return blob(await house.readArtifact(named.id, FILE_BYTES), type);
    }
    case "download":
      return await house.onBrowser(named.vm, signal, async ({ downloads }, usable) => {
        const { type } = await downloads.get(v.parse(GetDownload, { id: named.id }), usable);
        const { bytes } = await downloads.read(v.parse(ReadDownload, { id: named.id }), usable);
        const chunks: Uint8Array[] = [];
        let length = 0;
        for await (const chunk of bytes) {
          length += chunk.length;
          if (length > FILE_BYTES)
            throw new HypeError("result_too_large", `the file is larger than ${FILE_BYTES} bytes: fetch it over HTTP`);
          chunks.push(chunk);
        }
        return blob(Buffer.concat(chunks), type);
      });
  }
}
