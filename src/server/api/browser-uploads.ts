import { Elysia } from "elysia";
import * as v from "valibot";
import { Upload, UPLOAD_SHA256_HEADER, UploadName, WriteUpload } from "../../contract/index.ts";
import type { Gate } from "../auth/gate.ts";
import { bytesOf, fileBody, toldOf } from "../browser/incoming-file.ts";
import { whileUsable } from "../browser/while-usable.ts";
import type { ServerContext } from "../context.ts";
import { NoQuery, VmRef } from "./schemas.ts";

const UploadRef = v.strictObject({ ...VmRef.entries, file_name: UploadName });

/** Files into the guest: the body passes through piece by piece, whatever its size. */
export function browserUploadRoutes(context: ServerContext, gate: Gate) {
  return new Elysia({ name: "browser-uploads", prefix: "/api/v1/vms/:name/browser" })
    .onBeforeHandle(({ server, request }) => server?.timeout(request, 0))
    .put(
      "/uploads/:file_name",
      ({ params, request }) => {
        const told = toldOf(WriteUpload, request, {
          name: params.file_name,
          ...(request.headers.has(UPLOAD_SHA256_HEADER) && { sha256: request.headers.get(UPLOAD_SHA256_HEADER) }),
        });
        const signal = AbortSignal.any([request.signal, context.closing, gate.endedOf(request)]);
        return whileUsable(context, params.name, signal, (guest, usable) =>
          guest.uploads.write(told, bytesOf(request), usable),
        );
      },
      {
        parse: fileBody.parse,
        params: UploadRef,
        query: NoQuery,
        response: Upload,
        detail: {
          summary: "Stream a file into the guest, for file inputs",
          description: `The body is the file, of any type and size; a file of the same name is replaced once all of it is there. With \`${UPLOAD_SHA256_HEADER}\` (hex) the bytes are kept only if they add up to it.`,
          tags: ["browser"],
          requestBody: fileBody.requestBody,
        },
      },
    );
}
