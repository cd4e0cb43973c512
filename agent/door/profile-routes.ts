import { MAX_WHOLE_PROFILE, WHOLE_PROFILE_ABOUT_HEADER } from "../../src/contract/index.ts";
import { withDeadline } from "../browser/deadline.ts";
import type { WholeProfile } from "../profile/whole-profile.ts";
import type { Routes } from "./door.ts";
import { json } from "./http.ts";
import { received } from "./received.ts";

/** Chromium's end, its files and its start, under software emulation on a busy host. */
const WHOLE_MS = 600_000;

/** `/v1/profile`: the files of the browser's profile, as a stream; the work stands in agent/profile/. */
export const profileRoutes = (profile: WholeProfile): Routes => ({
  "GET /v1/profile": async ({ response, signal }) => {
    try {
      await withDeadline("save the profile", WHOLE_MS, signal, (within) =>
        profile.save((about) => {
          response.writeHead(200, {
            "content-type": "application/zstd",
            "cache-control": "no-store",
            [WHOLE_PROFILE_ABOUT_HEADER]: JSON.stringify(about),
          });
          response.flushHeaders(); // the first byte waits for Chromium's end
          return response;
        }, within),
      );
    } catch (thrown) {
      if (!response.headersSent) throw thrown;
      response.destroy();
    }
  },
  "PUT /v1/profile": async ({ request, signal }) =>
    json(
      await withDeadline("take the profile", WHOLE_MS, signal, (within) =>
        profile.take(received(request, MAX_WHOLE_PROFILE.archiveBytes), within),
      ),
    ),
  "DELETE /v1/profile": async () => {
    await profile.none();
    return json({});
  },
});
