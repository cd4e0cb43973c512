import { AGUI_BODY_BYTES } from "../contract/agui.ts";
import { HypeError, LIMITS, MAX_PROFILE_BYTES } from "../contract/index.ts";

/** A state of the largest size, with what stands around it. */
export const LARGE_BODY_BYTES = MAX_PROFILE_BYTES + LIMITS.body_bytes;
/** Large bodies whose calls are under way, all together: parsed, each takes several times its length. */
const BUDGET_BYTES = 3 * LARGE_BODY_BYTES;

const WORTH_COLLECTING_BYTES = 8 * 1024 * 1024;

/** Routes whose body carries a whole state. */
const LARGE = /^\/api\/v1\/(vms\/[^/]+\/browser\/import-state|profiles\/[^/]+\/state)$/;

/** Routes whose body carries a thread, pictures and all. */
const RUN = /^\/agui(\/vms\/[^/]+)?$/;

/** Largest body of a call to that path, bytes. */
export const bodyLimitOf = (path: string): number =>
  LARGE.test(path) ? LARGE_BODY_BYTES : RUN.test(path) ? AGUI_BODY_BYTES : LIMITS.body_bytes;

export const tooLarge = (limit: number): HypeError =>
  new HypeError("payload_too_large", `the body may hold at most ${limit} bytes`, { limit_bytes: limit });

/** Keeps account of the large bodies that are held in memory at once. */
export class LargeBodies {
  readonly #held = new WeakMap<Request, number>();
  #bytes = 0;

  /** One that does not say its length counts as the longest. @throws HypeError payload_too_large | rate_limited */
  admit(request: Request, path: string): void {
    const limit = bodyLimitOf(path);
    const length = request.headers.get("content-length");
    if (Number(length) > limit) throw tooLarge(limit);
    const bytes = length === null && request.headers.has("transfer-encoding") ? limit : Number(length);
    if (bytes <= LIMITS.body_bytes) return;
    if (this.#bytes + bytes > BUDGET_BYTES)
      throw new HypeError("rate_limited", "other large states are being taken in: wait 1 s", {
        retry_after_seconds: 1,
      });
    this.#held.set(request, bytes);
    this.#bytes += bytes;
  }

  /** The call was answered, or refused. Harmless for any other. */
  release(request: Request): void {
    const bytes = this.#held.get(request);
    if (bytes === undefined) return;
    this.#bytes -= bytes;
    this.#held.delete(request);
    // Left alone, the collector lets ten such bodies gather: 1.2 GB of memory instead of 0.4 (measured, Bun 1.4.5).
    if (bytes >= WORTH_COLLECTING_BYTES) setImmediate(() => Bun.gc(true));
  }
}
