import { randomBytes } from "node:crypto";
import { chmodSync, readFileSync, statSync } from "node:fs";
import type { Config } from "../../config/load.ts";
import { paths } from "../../config/paths.ts";
import { HypeError } from "../../contract/index.ts";
import { ensurePrivateDir, fileError, writeAtomic } from "../../host/files.ts";
import type { Log } from "../../log/log.ts";

const ADMIN_KEY = /^hype_[A-Za-z0-9_-]{43}$/;

/** A new key: 256 random bits. */
export const makeKey = (): string => `hype_${randomBytes(32).toString("base64url")}`;

/** The keys that stand outside the store, by id: `admin.key` (written on the first start) and `OVERHYPED_API_KEY`. @throws HypeError config_invalid | state_unwritable */
export function builtInKeys(config: Config, log: Log): Record<string, string> {
  const path = paths.adminKey(config);
  const admin = readSecret(path, log, () => `${makeKey()}\n`).trim();
  if (!ADMIN_KEY.test(admin))
    throw new HypeError("config_invalid", `${path} does not hold a key: remove it and a new one is written`, { path });
  return { admin, ...(config.apiKey === null ? {} : { environment: config.apiKey }) };
}

/** The secret that signs CDP tokens: as tokens survive a restart, so must it. @throws HypeError config_invalid | state_unwritable */
export function loadSigningKey(config: Config, log: Log): Buffer {
  const path = paths.signingKey(config);
  const key = Buffer.from(
    readSecret(path, log, () => `${randomBytes(32).toString("base64url")}\n`).trim(),
    "base64url",
  );
  if (key.length !== 32)
    throw new HypeError("config_invalid", `${path} does not hold a signing key: remove it and a new one is written`, {
      path,
    });
  return key;
}

/** Reads a secret file, or makes it (0600). One that others can read is closed, with a warning: it may have been read already. */
function readSecret(path: string, log: Log, make: () => string): string {
  try {
    const text = readFileSync(path, "utf8");
    const mode = statSync(path).mode & 0o777;
    if ((mode & 0o077) !== 0) {
      chmodSync(path, 0o600);
      log.warn(
        `${path} could be read by others (mode ${mode.toString(8)}); it is 0600 now. Remove it and restart to have a new one`,
      );
    }
    return text;
  } catch (thrown) {
    if ((thrown as { code?: string }).code !== "ENOENT") throw fileError(thrown, path);
  }
  const text = make();
  ensurePrivateDir(path.slice(0, path.lastIndexOf("/")));
  writeAtomic(path, text, 0o600);
  return text;
}
