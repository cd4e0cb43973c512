import { Elysia } from "elysia";
import * as v from "valibot";
import { streamFile } from "../../artifacts/read.ts";
import {
  Artifact,
  ARTIFACT_HEADER,
  ArtifactId,
  ArtifactList,
  KeepDownloadQuery,
  ListArtifactsQuery,
} from "../../contract/index.ts";
import type { StoredArtifact } from "../../store/artifacts.ts";
import { attachment } from "../artifacts/attachment.ts";
import { keepDownload } from "../artifacts/keep.ts";
import type { Gate } from "../auth/gate.ts";
import { parseRange } from "../browser/range.ts";
import { whileUsable } from "../browser/while-usable.ts";
import type { ServerContext } from "../context.ts";
import { commasAsText, NoQuery, textReply, trusted, VmRef } from "./schemas.ts";

const DEFAULT_LIMIT = 100;
const ArtifactRef = v.strictObject({ id: ArtifactId });
const DownloadRef = v.strictObject({
  ...VmRef.entries,
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/, "must be a download's id")),
});
const about = (summary: string) => ({ summary, tags: ["artifacts"] });

/** What is kept of VMs, also of those that are gone. */
export function artifactRoutes(context: ServerContext, gate: Gate) {
  const { artifacts, engine, closing } = context;
  /** A restricted key sees what its VMs left. */
  const seenBy = (request: Request) => {
    const view = gate.viewOf(request);
    return view ? ({ vm_name: name, vm_labels: labels }: StoredArtifact) => view.allows({ name, labels }) : undefined;
  };
  return new Elysia({ name: "artifacts", prefix: "/api/v1" })
    .onTransform(commasAsText)
    .get(
      "/artifacts",
      ({ query: { limit, ...filter }, request }) =>
        artifacts.list({ ...filter, limit: Number(limit ?? DEFAULT_LIMIT) }, seenBy(request)),
      {
        query: ListArtifactsQuery,
        response: trusted(ArtifactList),
        detail: about("List artifacts, newest first"),
      },
    )
    .get("/artifacts/:id", ({ params, request }) => artifacts.get(params.id, seenBy(request)), {
      params: ArtifactRef,
      query: NoQuery,
      response: Artifact,
      detail: about("One artifact"),
    })
    .get(
      "/artifacts/:id/content",
      ({ params, request, server }) => {
        server?.timeout(request, 0);
        const artifact = artifacts.get(params.id, seenBy(request));
        const { size_bytes: size, sha256, name } = artifact;
        const etag = `"${sha256}"`;
        const headers = {
          // Never the type the guest named: a page of it must not be shown under our origin.
          "content-type": "application/octet-stream",
          "content-disposition": attachment(name),
          "x-content-type-options": "nosniff",
          "cache-control": "private, no-cache",
          "accept-ranges": "bytes",
          etag,
        };
        if (isKnown(request.headers.get("if-none-match"), etag)) return new Response(null, { status: 304, headers });
        const isSame = [null, etag].includes(request.headers.get("if-range"));
        const range = isSame ? parseRange(request.headers.get("range"), size) : null;
        const from = range?.from ?? 0;
        const to = range?.to ?? size - 1;
        const gone = AbortSignal.any([request.signal, closing, gate.endedOf(request)]);
        return new Response(request.method === "HEAD" ? null : streamFile(artifacts.open(artifact), from, to, gone), {
          status: range ? 206 : 200,
          headers: {
            ...headers,
            "content-length": String(to - from + 1),
            ...(range ? { "content-range": `bytes ${from}-${to}/${size}` } : {}),
          },
        });
      },
      {
        params: ArtifactRef,
        query: NoQuery,
        detail: {
          ...about("Bytes of an artifact; takes Range, If-Range and If-None-Match, the ETag is the SHA-256"),
          ...textReply("application/octet-stream", "The bytes"),
        },
      },
    )
    .delete(
      "/artifacts/:id",
      ({ params, request, status }) => {
        artifacts.get(params.id, seenBy(request));
        artifacts.delete(params.id);
        return status(204, undefined);
      },
      {
        params: ArtifactRef,
        query: NoQuery,
        response: { 204: v.undefined() },
        detail: about("Delete an artifact; its file goes with the last one that means the same bytes"),
      },
    )
    .post(
      "/vms/:name/browser/downloads/:id/keep",
      async ({ params, query, request, server, set, status }) => {
        server?.timeout(request, 0);
        const vm = engine.get(params.name);
        const gone = AbortSignal.any([request.signal, closing, gate.endedOf(request)]);
        const artifact = await whileUsable(context, params.name, gone, (guest, usable) =>
          keepDownload(context, vm, guest, params.id, usable, { name: query.keep_as }),
        );
        set.headers[ARTIFACT_HEADER] = artifact.id;
        return status(201, artifact);
      },
      {
        params: DownloadRef,
        query: KeepDownloadQuery,
        response: { 201: Artifact },
        detail: about("Keep a download on the host; one in progress is kept once it is complete"),
      },
    );
}

/** `If-None-Match` (RFC 9110, section 13.1.2). */
const isKnown = (header: string | null, etag: string): boolean =>
  header !== null && header.split(",").some((tag) => ["*", etag].includes(tag.trim().replace(/^W\//, "")));
