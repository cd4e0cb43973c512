import { createHmac, timingSafeEqual } from "node:crypto";

/** Who minted a token. */
export type TokenKey = { id: string; digest: string };
/** What a token opens, by whose right, and until when (seconds since 1970). */
export type CdpGrant = { vmId: string; keyId: string; expiresAt: number };

/**
 * Tokens for the CDP door of one VM: `<vm id>.<expiry>.<key id>.<HMAC-SHA256>`. Nothing is stored: the signature is the proof, so a token
 * survives a restart of the server and dies with its time, with the VM's id, which is never reused, or with the key that minted it: the
 * key's digest is part of what is signed, so tokens of a built-in key that was replaced are void, too.
 */
export class CdpTokens {
  constructor(private readonly signingKey: Uint8Array) {}

  mint(vmId: string, ttlSeconds: number, key: TokenKey, nowMs = Date.now()): { token: string; expiresAt: number } {
    const expiresAt = Math.floor(nowMs / 1000) + ttlSeconds;
    const body = `${vmId}.${expiresAt}.${key.id}`;
    return { token: `${body}.${this.sign(body, key.digest).toString("base64url")}`, expiresAt };
  }

  /**
   * @param findKey the key of an id; null when there is none.
   * @returns what the token opens, `"expired"` for one of ours that is too old, null for anything else.
   */
  verify(token: string, findKey: (id: string) => TokenKey | null, nowMs = Date.now()): CdpGrant | "expired" | null {
    const match = /^([0-9a-f-]{36})\.(\d{1,11})\.([a-z0-9-]{1,36})\.([A-Za-z0-9_-]{43})$/.exec(token);
    if (!match) return null;
    const [, vmId, expiry, keyId, signature] = match as unknown as [string, string, string, string, string];
    const key = findKey(keyId);
    if (!key) return null;
    const expected = this.sign(`${vmId}.${expiry}.${keyId}`, key.digest);
    if (!timingSafeEqual(expected, Buffer.from(signature, "base64url"))) return null;
    return Number(expiry) * 1000 > nowMs ? { vmId, keyId, expiresAt: Number(expiry) } : "expired";
  }

  /** The scope is part of what is signed, so that no other kind of token can ever stand in for this one. */
  private sign(body: string, keyDigest: string): Buffer {
    return createHmac("sha256", this.signingKey).update(`overhyped cdp v2 ${body} ${keyDigest}`).digest();
  }
}
