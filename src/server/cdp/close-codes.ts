/** Longest close reason, bytes: a control frame holds 125, two of them are the code (RFC 6455 section 5.5). */
const REASON_BYTES = 123;

export const GOING_AWAY = 1001;
/** "Policy violation": the right to be here has ended. */
export const POLICY = 1008;
export const INTERNAL = 1011;
export const SERVICE_RESTART = 1012;
/** "Try again later": the peer does not read what it asked for. */
export const TRY_AGAIN_LATER = 1013;

/**
 * A close as it can be sent on. 1005 (none given) and 1006 (connection lost) describe, they are never sent (RFC 6455 section 7.4.1):
 * they become a normal close, and `lost` with a reason that says whose connection it was.
 */
export function sendableClose(code: number, reason: string, lost: { code: number; reason: string }) {
  if (code === 1005) return { code: 1000, reason: "" };
  const isSendable = (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1006) || (code >= 3000 && code <= 4999);
  return isSendable ? { code, reason: clipReason(reason) } : { code: lost.code, reason: lost.reason };
}

/** Cut to what a close frame holds, never inside a character. */
export function clipReason(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= REASON_BYTES) return reason;
  return new TextDecoder("utf-8", { fatal: false }).decode(bytes.subarray(0, REASON_BYTES), { stream: true });
}
