import { HypeError } from "../contract/index.ts";
import { pathOf } from "./auth/gate.ts";
import { bodyLimitOf, tooLarge } from "./large-bodies.ts";

/**
 * Reads a JSON body of unknown length (chunked), no more of it than any other body may have. Bodies that say their length were
 * judged at the gate; the server's own limit is off, because uploads pass through it.
 * @throws HypeError payload_too_large | invalid_request
 */
export async function boundedJson(request: Request): Promise<unknown> {
  const limit = bodyLimitOf(pathOf(request));
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of request.body ?? []) {
    bytes += piece.length;
    if (bytes > limit) throw tooLarge(limit);
    pieces.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString());
  } catch (thrown) {
    const issues = [{ path: "", message: "is not valid JSON" }];
    throw new HypeError("invalid_request", "the body is not valid JSON", { issues }, { cause: thrown });
  }
}
