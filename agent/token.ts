import { createHash, timingSafeEqual } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { HypeError, TOKEN_OEM_PREFIX } from "../src/contract/index.ts";
import { DMI_TABLE, oemStrings } from "./oem-strings.ts";

/** The guest's secret: whoever has it may drive this browser. */
export class Token {
  #digest: Buffer;
  private constructor(
    token: string,
    private readonly file: string,
  ) {
    this.#digest = sha256(token);
  }

  /**
   * From the token file when there is one (the token was replaced, or the agent runs as a local process), else from the firmware.
   * @throws HypeError `config_invalid` when neither has one.
   */
  static load(file: string, dmiTable = DMI_TABLE): Token {
    const token =
      readIfThere(file)?.toString().trim() ||
      oemStrings(readIfThere(dmiTable) ?? new Uint8Array())
        .find((text) => text.startsWith(TOKEN_OEM_PREFIX))
        ?.slice(TOKEN_OEM_PREFIX.length);
    if (!token || token.length < 32)
      throw new HypeError("config_invalid", `no token of at least 32 characters in ${file} or in ${dmiTable}`);
    return new Token(token, file);
  }

  /** Constant time in the token and its length: digests are compared. */
  accepts(authorization: string | undefined): boolean {
    return (
      authorization?.startsWith("Bearer ") === true && timingSafeEqual(sha256(authorization.slice(7)), this.#digest)
    );
  }

  /** The new token survives a restart of the agent, the old one is dead when this returns. */
  replace(token: string): void {
    mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
    const temporary = `${this.file}.new`;
    writeFileSync(temporary, token, { mode: 0o600 });
    renameSync(temporary, this.file);
    this.#digest = sha256(token);
  }
}

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();

function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}
