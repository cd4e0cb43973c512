import * as v from "valibot";
import {
  HypeError,
  messageOf,
  WHOLE_PROFILE_ABOUT_HEADER,
  WholeProfileAbout,
  WholeProfileTaken,
} from "../contract/index.ts";
import { ask, openStream, parseReply } from "./http.ts";
import { putStream } from "./put-stream.ts";

const PATH = "/v1/profile";
/** Chromium ends and starts anew in between, under software emulation on a busy host. */
const SILENCE_MS = 240_000;
const SHORT_MS = 30_000;
const SMALL_BYTES = 64 * 1024;

/** An archive of a browser's profile while it comes. */
export type WholeProfileBytes = { about: WholeProfileAbout; bytes: AsyncIterable<Uint8Array> };

/** The files of the browser's profile. Throws as {@link Guest} does. */
export class GuestProfile {
  constructor(
    private readonly endpoint: string,
    private readonly token: string,
  ) {}

  /** Closes the browser for it; it is usable again once the bytes ended. @throws HypeError also from the bytes, when they break off */
  async read(signal: AbortSignal): Promise<WholeProfileBytes> {
    const response = await openStream(this.endpoint, this.token, PATH, signal).catch(throwOld);
    response.setTimeout(SILENCE_MS, () => response.destroy(new Error(`silent for ${SILENCE_MS} ms`)));
    try {
      const about = v.parse(WholeProfileAbout, JSON.parse(String(response.headers[WHOLE_PROFILE_ABOUT_HEADER])));
      return { about, bytes: told(response, signal) };
    } catch (thrown) {
      response.destroy();
      throw new HypeError("guest_unreachable", `the agent's reply is not understood: ${messageOf(thrown)}`);
    }
  }

  /**
   * Gives the browser the profile of an archive, in the place of its own; it is usable afterwards.
   * @throws HypeError `invalid_request` | `payload_too_large` | `guest_disk_full` | `profile_too_new` | `state_incomplete`
   */
  async write(body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<WholeProfileTaken> {
    const wire = { endpoint: this.endpoint, token: this.token, path: PATH, what: "the profile", silenceMs: SILENCE_MS };
    return parseReply(WholeProfileTaken, await putStream(wire, body, undefined, signal).catch(throwOld));
  }

  /** A browser that waits for a profile is to start without. */
  async none(signal: AbortSignal): Promise<void> {
    const request = { method: "DELETE", path: PATH, timeoutMs: SHORT_MS, maxBytes: SMALL_BYTES, signal } as const;
    await ask(this.endpoint, this.token, request);
  }
}

/** @throws what was thrown; in other words where the agent of an older image does not know the route */
function throwOld(thrown: unknown): never {
  if (thrown instanceof HypeError && thrown.code === "not_found")
    throw new HypeError("profile_unsupported", "the agent in this VM's image knows no whole profiles");
  throw thrown;
}

async function* told(response: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* response;
  } catch (thrown) {
    if (signal.aborted) throw new HypeError("cancelled", "the caller went away", {}, { cause: thrown });
    throw new HypeError("guest_unreachable", `the profile broke off: ${messageOf(thrown)}`, {}, { cause: thrown });
  }
}
