import { DeleteUpload, HandFile, ListUploads, WriteUpload } from "../../src/contract/index.ts";
import type { HandedFiles } from "../live/handed-files.ts";
import type { Uploads } from "../uploads/uploads.ts";
import type { Routes } from "./door.ts";
import { check, json } from "./http.ts";
import { operation } from "./operation.ts";
import { received } from "./received.ts";

/** For files that are put into the guest: by callers (agent/uploads/), and by people in the live view. */
export function uploadRoutes(uploads: Uploads, handed: HandedFiles): Routes {
  return {
    "PUT /v1/browser/upload": async ({ url, request }) =>
      json(await uploads.write(check(WriteUpload, toldOf(url)), received(request))),
    "PUT /v1/live/file": async ({ url: { searchParams: asked }, url, request }) =>
      json(
        await handed.write(
          check(HandFile, { ...toldOf(url), batch: asked.get("batch"), tab: asked.get("tab") }),
          received(request),
        ),
      ),
    "POST /v1/browser/list-uploads": operation("list-uploads", ListUploads, async () => ({ items: uploads.list() })),
    "POST /v1/browser/delete-upload": operation("delete-upload", DeleteUpload, ({ name }) => uploads.delete(name)),
  };
}

const toldOf = ({ searchParams }: URL) => ({
  name: searchParams.get("name"),
  ...(searchParams.has("bytes") && { bytes: Number(searchParams.get("bytes")) }),
  ...(searchParams.has("sha256") && { sha256: searchParams.get("sha256") }),
});
