import { Elysia } from "elysia";
import * as v from "valibot";
import {
  ARCHIVE_TYPE,
  HypeError,
  ImportArchiveQuery,
  ImportedProfile,
  ImportProfile,
  Profile,
  ProfileList,
  ProfileName,
  RotatedKey,
  SavedProfile,
  SaveProfile,
  StorageState,
} from "../../contract/index.ts";
import type { Gate } from "../auth/gate.ts";
import type { Guest } from "../../guest/guest.ts";
import { bytesOf, fileBody } from "../browser/incoming-file.ts";
import { whileUsable } from "../browser/while-usable.ts";
import type { ServerContext } from "../context.ts";
import { streamOf } from "../stream-of.ts";
import { NoQuery, textReply, trusted } from "./schemas.ts";

const ProfileRef = v.strictObject({ profile: v.pipe(ProfileName, v.description("Name of the profile")) });
const about = (summary: string) => ({ summary, tags: ["profiles"] });

/** A profile may hold anybody's logins: a key that sees some VMs only has none. @throws HypeError forbidden */
export function mustHaveProfiles(gate: Gate, request: Request): void {
  if (gate.viewOf(request) !== null)
    throw new HypeError("forbidden", "this key is restricted to some VMs; profiles are for keys that see all");
}

/** Logins that are kept and given to new VMs. Their content leaves by one route alone. */
export function profileRoutes(context: ServerContext, gate: Gate) {
  const { profiles } = context;
  return new Elysia({ name: "profiles", prefix: "/api/v1/profiles" })
    .onBeforeHandle(({ request, server }) => {
      mustHaveProfiles(gate, request);
      if (request.method !== "GET") server?.timeout(request, 0); // a large state of a slow guest takes its time
    })
    .get("", () => ({ items: profiles.list() }), {
      query: NoQuery,
      response: ProfileList,
      detail: about("List profiles"),
    })
    .post(
      "",
      async ({ body: { vm, ...body }, request, status }) => {
        const save = (guest: Guest, signal: AbortSignal) => profiles.save(body, guest, signal);
        return status(201, await whileUsable(context, vm, request.signal, save));
      },
      {
        body: SaveProfile,
        query: NoQuery,
        response: { 201: SavedProfile },
        detail: about("Keep the cookies and storage of a running VM's browser"),
      },
    )
    .post("/rotate-key", () => profiles.rotateKey(), {
      query: NoQuery,
      response: RotatedKey,
      detail: about("Seal every profile with a new key"),
    })
    .get("/:profile", ({ params }) => profiles.get(params.profile), {
      params: ProfileRef,
      query: NoQuery,
      response: Profile,
      detail: about("One profile"),
    })
    .delete(
      "/:profile",
      ({ params, status }) => {
        profiles.delete(params.profile);
        return status(204, undefined);
      },
      {
        params: ProfileRef,
        query: NoQuery,
        response: { 204: v.undefined() },
        detail: about("Delete a profile; VMs that run keep what they were given"),
      },
    )
    .get(
      "/:profile/state",
      ({ params }): v.InferOutput<typeof StorageState> =>
        new Response(new Uint8Array(profiles.export(params.profile)), {
          headers: { "content-type": "application/json", "cache-control": "no-store" },
        }) as never, // as it is kept: JSON of that shape already
      {
        params: ProfileRef,
        query: NoQuery,
        response: trusted(StorageState),
        detail: about("Its content, in the form of Playwright's storageState"),
      },
    )
    .get(
      "/:profile/archive",
      async ({ params, request }) => {
        const { bytes, size_bytes: size } = profiles.exportArchive(params.profile);
        const gone = AbortSignal.any([request.signal, context.closing, gate.endedOf(request)]);
        return new Response(await streamOf(bytes, gone), {
          headers: { "content-type": ARCHIVE_TYPE, "content-length": String(size), "cache-control": "no-store" },
        });
      },
      {
        params: ProfileRef,
        query: NoQuery,
        detail: {
          ...about("The files of a whole profile, as a tar archive compressed by Zstandard"),
          ...textReply(ARCHIVE_TYPE, "The archive"),
        },
      },
    )
    .put(
      "/:profile/archive",
      ({ params, query, request }) =>
        profiles.importArchive(params.profile, query.replace === "true", bytesOf(request)),
      {
        parse: fileBody.parse,
        params: ProfileRef,
        query: ImportArchiveQuery,
        response: Profile,
        detail: {
          ...about("Keep the archive of a whole profile that was exported"),
          description:
            "All or nothing: it is looked through while it comes, and refused for what no browser would take.",
          requestBody: fileBody.requestBody,
        },
      },
    )
    .put("/:profile/state", ({ params, body }) => profiles.import(params.profile, body), {
      params: ProfileRef,
      query: NoQuery,
      body: ImportProfile,
      response: ImportedProfile,
      detail: about("Keep a state that was exported, by hype or by Playwright"),
    });
}
