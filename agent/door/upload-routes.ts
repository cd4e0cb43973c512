import { DeleteUpload, ListUploads, WriteUpload } from "../../src/contract/index.ts";
import type { Uploads } from "../uploads/uploads.ts";
import type { Routes } from "./door.ts";
import { check, json } from "./http.ts";
import { operation } from "./operation.ts";
import { received } from "./received.ts";

/** `/v1/browser/*` for files that are put into the guest; the work stands in agent/uploads/. */
export function uploadRoutes(uploads: Uploads): Routes {
  return {
    "PUT /v1/browser/upload": async ({ url, request }) =>
      json(await uploads.write(check(WriteUpload, toldOf(url)), received(request))),
    "POST /v1/browser/list-uploads": operation("list-uploads", ListUploads, async () => ({ items: uploads.list() })),
    "POST /v1/browser/delete-upload": operation("delete-upload", DeleteUpload, ({ name }) => uploads.delete(name)),
  };
}

const toldOf = ({ searchParams }: URL) => ({
  name: searchParams.get("name"),
  ...(searchParams.has("bytes") && { bytes: Number(searchParams.get("bytes")) }),
  ...(searchParams.has("sha256") && { sha256: searchParams.get("sha256") }),
});
