import { createHmac, timingSafeEqual } from "node:crypto";

/** What a token opens and until when (seconds since 1970). */
export type CdpGrant = { vmId: string; expiresAt: number };

/**
 * Tokens for the CDP door of one VM: `<vm id>.<expiry>.<HMAC-SHA256>`. Nothing is stored: the signature is the proof, so a token
 * survives a restart of the server and dies with its time or with the VM's id, which is never reused.
 */
export class CdpTokens {
  constructor(private readonly signingKey: Uint8Array) {}

  mint(vmId: string, ttlSeconds: number, nowMs = Date.now()): { token: string; expiresAt: number } {
    const expiresAt = Math.floor(nowMs / 1000) + ttlSeconds;
    const body = `${vmId}.${expiresAt}`;
    return { token: `${body}.${this.sign(body).toString("base64url")}`, expiresAt };
  }

  /** @returns what the token opens, `"expired"` for one of ours that is too old, null for anything else. */
  verify(token: string, nowMs = Date.now()): CdpGrant | "expired" | null {
    const match = /^([0-9a-f-]{36})\.(\d{1,11})\.([A-Za-z0-9_-]{43})$/.exec(token);
    if (!match) return null;
    const [, vmId, expiry, signature] = match as unknown as [string, string, string, string];
    if (!timingSafeEqual(this.sign(`${vmId}.${expiry}`), Buffer.from(signature, "base64url"))) return null;
    return Number(expiry) * 1000 > nowMs ? { vmId, expiresAt: Number(expiry) } : "expired";
  }

  /** The scope is part of what is signed, so that no other kind of token can ever stand in for this one. */
  private sign(body: string): Buffer {
    return createHmac("sha256", this.signingKey).update(`overhyped cdp v1 ${body}`).digest();
  }
}
