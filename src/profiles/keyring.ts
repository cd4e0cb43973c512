import { randomBytes } from "node:crypto";
import { closeSync, fstatSync, readFileSync } from "node:fs";
import { messageOf } from "../contract/index.ts";
import { openRegular, writeAtomic } from "../host/files.ts";
import { type SealingKey, sealingKey, unreadable } from "./envelope.ts";
import { syncDirectoryOf } from "./sealed-files.ts";

const KEY_BYTES = 32;

/** The file with the keys of the profiles, one a line, base64url; the first one seals, the others only open what they sealed. */
export class Keyring {
  constructor(readonly path: string) {}

  /** Read anew each time: the file is the truth. null: there is none. @throws HypeError profile_unreadable saying what is wrong with it. */
  read(): [SealingKey, ...SealingKey[]] | null {
    const text = this.#text();
    if (text === null) return null;
    const secrets = text.split("\n").filter((line) => line !== "");
    const [first, ...others] = secrets.map((line) => {
      const secret = Buffer.from(line, "base64url");
      if (secret.length !== KEY_BYTES || secret.toString("base64url") !== line)
        throw unreadable(`${this.path} is damaged: it holds something that is no key`);
      return sealingKey(secret);
    });
    if (!first) throw unreadable(`${this.path} is damaged: it is empty`);
    return [first, ...others];
  }

  /** Makes a key that seals from now on; the ones there are stay behind it. */
  add(): SealingKey {
    const key = sealingKey(randomBytes(KEY_BYTES));
    this.#write([key, ...(this.read() ?? [])]);
    return key;
  }

  /** Forgets all keys but the first. */
  dropOld(): void {
    const keys = this.read();
    if (keys && keys.length > 1) this.#write([keys[0]]);
  }

  #write(keys: SealingKey[]): void {
    writeAtomic(this.path, keys.map(({ secret }) => `${secret.toString("base64url")}\n`).join(""), 0o600);
    syncDirectoryOf(this.path); // what is sealed next must not outlive its key in a power cut
  }

  #text(): string | null {
    let file: number | null;
    try {
      file = openRegular(this.path);
    } catch (thrown) {
      throw unreadable(`${this.path} cannot be read: ${messageOf(thrown)}`);
    }
    if (file === null) return null;
    try {
      const mode = fstatSync(file).mode & 0o777;
      if ((mode & 0o077) !== 0)
        throw unreadable(
          `${this.path} can be read by others (mode ${mode.toString(8)}): close it with chmod 600, then run \`hype profiles rotate-key\``,
        );
      return readFileSync(file, "utf8");
    } finally {
      closeSync(file);
    }
  }
}
