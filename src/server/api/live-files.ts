import { Elysia } from "elysia";
import * as v from "valibot";
import { HandFile, HypeError, Upload } from "../../contract/index.ts";
import type { Gate } from "../auth/gate.ts";
import { downloadReply } from "../browser/download-reply.ts";
import { bytesOf, fileBody, toldOf } from "../browser/incoming-file.ts";
import { whileUsable } from "../browser/while-usable.ts";
import type { ServerContext } from "../context.ts";
import { linkOf } from "../live/link-of.ts";
import { DownloadRef, LivePageId, textReply, VmRef } from "./schemas.ts";

const { batch, name, tab } = HandFile.entries;
const FileRef = v.strictObject({ ...VmRef.entries, batch, file_name: name });
const FileQuery = v.strictObject({ page: LivePageId, tab });

/** Files that a person who acts hands to the page, and takes from it: bytes pass through piece by piece, whatever their size. */
export function liveFileRoutes(context: ServerContext, gate: Gate) {
  const { closing, live } = context;
  /** What ends a call of the page that acts. @throws HypeError live_link_invalid | view_only | control_held */
  const callersOf = (request: Request, page: string) => {
    const link = linkOf(gate, request);
    if (link.view_only) throw new HypeError("view_only", "this link may only watch");
    if (!live.desk.holds(link.vm_id, link.id, page))
      throw new HypeError("control_held", "take control before files go in or out");
    return [request.signal, closing, gate.endedOf(request), live.links.ended(link)];
  };
  return new Elysia({ name: "live-files" })
    .onBeforeHandle(({ server, request }) => server?.timeout(request, 0))
    .put(
      "/live/:name/files/:batch/:file_name",
      ({ params, query, request }) => {
        const callers = callersOf(request, query.page);
        const told = toldOf(HandFile, request, { name: params.file_name, batch: params.batch, tab: query.tab });
        return whileUsable(context, params.name, AbortSignal.any(callers), (guest, signal) =>
          guest.uploads.hand(told, bytesOf(request), signal),
        );
      },
      {
        parse: fileBody.parse,
        params: FileRef,
        query: FileQuery,
        response: Upload,
        detail: {
          summary:
            "Hand a file to the page that is acted on; it then goes into a file chooser, or is dropped, by the socket",
          tags: ["live"],
          requestBody: fileBody.requestBody,
        },
      },
    )
    .get(
      "/live/:name/downloads/:id",
      ({ params, query, request }) => {
        const callers = callersOf(request, query.page);
        return downloadReply(context, params.name, params.id, request.headers.get("range"), callers);
      },
      {
        params: DownloadRef,
        query: v.strictObject({ page: LivePageId }),
        detail: {
          summary: "Bytes of a download, for the page that acts",
          tags: ["live"],
          ...textReply("application/octet-stream", "The bytes"),
        },
      },
    );
}
