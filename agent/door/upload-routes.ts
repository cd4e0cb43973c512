import type { IncomingMessage } from "node:http";
import { DeleteUpload, HypeError, ListUploads, WriteUpload } from "../../src/contract/index.ts";
import type { Uploads } from "../uploads/uploads.ts";
import type { Routes } from "./door.ts";
import { check, json } from "./http.ts";
import { operation } from "./operation.ts";

/** A sender that says nothing for so long is gone, ms. */
const SILENCE_MS = 120_000;

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

/** The body, no longer than its sender sends. @throws HypeError `cancelled` when it goes away or falls silent in the middle */
async function* received(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  const timer = setTimeout(() => request.destroy(), SILENCE_MS);
  try {
    for await (const chunk of request as AsyncIterable<Uint8Array>) {
      timer.refresh();
      yield chunk;
    }
  } catch (thrown) {
    throw new HypeError("cancelled", "the sender of the upload went away", {}, { cause: thrown });
  } finally {
    clearTimeout(timer);
  }
}
