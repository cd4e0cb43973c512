import { statfs } from "node:fs/promises";
import { HypeError } from "../contract/index.ts";

/** Bytes written between two looks at the disk. */
const LOOK_EVERY_BYTES = 16 * 1_048_576;

export type SpaceOptions = {
  directory: string;
  quotaBytes: number;
  /** Left free on the disk, whatever the quota says. */
  reserveBytes: number;
  usedBytes: number;
};

/** Bytes of one file on its way; they count from when they are taken until it is over. */
export type Arrival = Disposable & {
  /** @throws HypeError artifact_quota_exceeded | disk_full */
  take(bytes: number): Promise<void>;
};

/** How much artifacts take together, with what is being written, and how much they may. */
export class Space {
  readonly #options: SpaceOptions;
  #usedBytes: number;
  #arrivingBytes = 0;

  constructor(options: SpaceOptions) {
    this.#options = options;
    this.#usedBytes = options.usedBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  add(bytes: number): void {
    this.#usedBytes += bytes;
  }

  arrival(): Arrival {
    let taken = 0;
    let looked = -LOOK_EVERY_BYTES;
    return {
      take: async (bytes) => {
        this.#mustFit(bytes);
        taken += bytes;
        this.#arrivingBytes += bytes;
        if (taken - looked < LOOK_EVERY_BYTES) return;
        looked = taken;
        await this.#mustLeaveRoom(bytes);
      },
      [Symbol.dispose]: () => {
        this.#arrivingBytes -= taken;
        taken = 0;
      },
    };
  }

  #mustFit(bytes: number): void {
    const { quotaBytes } = this.#options;
    const arriving = this.#arrivingBytes + bytes;
    if (this.#usedBytes + arriving <= quotaBytes) return;
    throw new HypeError(
      "artifact_quota_exceeded",
      `artifacts take ${this.#usedBytes} bytes and what is being kept ${arriving}; ${quotaBytes} are allowed`,
      { used_bytes: this.#usedBytes, quota_bytes: quotaBytes },
    );
  }

  async #mustLeaveRoom(bytes: number): Promise<void> {
    const { directory, reserveBytes } = this.#options;
    const { bavail, bsize } = await statfs(directory);
    const free = bavail * bsize;
    if (free - bytes >= reserveBytes) return;
    throw new HypeError(
      "disk_full",
      `${directory} has ${free} bytes free, and ${reserveBytes} stay free for everything else`,
      { path: directory },
    );
  }
}
