import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Artifacts, type ArtifactsOptions, type NewArtifact } from "../../src/artifacts/artifacts.ts";
import { createLog } from "../../src/log/log.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

export const sha256 = (bytes: Uint8Array | string): string =>
  new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export const aFile = (change: Partial<NewArtifact> = {}): NewArtifact => ({
  kind: "screenshot",
  name: "page.png",
  contentType: "image/png",
  vm: { id: "0190b5a0-0000-7000-8000-000000000001", name: "demo", labels: { team: "qa" } },
  ...change,
});

/** Artifacts on a state of their own. */
export class Shelf implements Disposable {
  readonly home;
  readonly store: Store;
  readonly artifacts: Artifacts;
  readonly lines: string[] = [];

  /** @param place an earlier shelf's home; it stays with that one */
  constructor(options: Partial<ArtifactsOptions> & { place?: string } = {}) {
    const { place, ...rest } = options;
    this.home =
      place === undefined
        ? temporaryDirectory()
        : {
            path: place,
            join: (...parts: string[]) => join(place, ...parts),
            [Symbol.dispose]() {},
          };
    this.store = openStore(this.home.join("state.db"));
    const log = createLog({ level: "debug", write: (line) => this.lines.push(line) });
    const directory = this.home.join("artifacts");
    this.artifacts = new Artifacts({
      directory,
      store: this.store,
      log,
      quotaMb: 64,
      retentionDays: 0,
      reserveBytes: 0,
      ...rest,
    });
  }

  /** Files on the disk, of whatever kind. */
  files(): string[] {
    return filesBelow(this.home.join("artifacts"));
  }

  [Symbol.dispose](): void {
    this.artifacts[Symbol.dispose]();
    this.store.close();
    this.home[Symbol.dispose]();
  }
}

export const filesBelow = (directory: string): string[] =>
  (existsSync(directory) ? (readdirSync(directory, { recursive: true }) as string[]) : [])
    .filter((name) => statSync(join(directory, name)).isFile())
    .toSorted();
