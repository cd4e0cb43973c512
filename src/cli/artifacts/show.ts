import type { Artifact } from "../../contract/artifact.ts";
import type { Colours } from "../output/colours.ts";
import { shorten } from "../output/shorten.ts";
import { pairs, table } from "../output/table.ts";
import { age, bytes } from "../../text/units.ts";

export function artifactTable(artifacts: Artifact[], paint: Colours): string {
  return table(
    [
      { title: "ID", value: ({ id }) => id },
      { title: "KIND", value: ({ kind }) => kind },
      { title: "VM", value: ({ vm_name }) => vm_name },
      { title: "SIZE", value: ({ size_bytes }) => bytes(size_bytes), align: "right" },
      { title: "AGE", value: ({ created_at }) => age(created_at), align: "right" },
      { title: "NAME", value: ({ name }) => shorten(name, 80) },
    ],
    artifacts,
    paint.bold,
  );
}

export function artifactDetails(artifact: Artifact, paint: Colours): string {
  return pairs(
    [
      ["name", artifact.name],
      ["id", artifact.id],
      ["kind", artifact.kind],
      ["type", artifact.content_type],
      ["size", `${artifact.size_bytes} bytes`],
      ["sha256", artifact.sha256],
      ["vm", `${artifact.vm_name} (${artifact.vm_id})`],
      ["kept", artifact.created_at],
      ["expires", artifact.expires_at],
    ],
    paint.dim,
  );
}
