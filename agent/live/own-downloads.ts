import type { Download, LiveMessage } from "../../src/contract/index.ts";
import type { Downloads } from "../downloads/downloads.ts";
import { followDownloads } from "../downloads/follow.ts";

/** Tells a person who acts of the downloads that begin under their hands, whichever tab begins them. */
export class OwnDownloads {
  #stop: AbortController | null = null;

  constructor(
    private readonly downloads: Downloads,
    private readonly tell: (message: LiveMessage) => void,
  ) {}

  /** Of what begins from now on. Harmless twice. */
  start(): void {
    if (this.#stop) return;
    this.#stop = new AbortController();
    const known = new Set(this.downloads.list().map(({ id }) => id));
    // A DevTools client's own downloads lie in a place of its own.
    const tell = (download: Download) => known.has(download.id) || download.by_client || this.#tell(download);
    void followDownloads(this.downloads, tell, this.#stop.signal);
  }

  stop(): void {
    this.#stop?.abort();
    this.#stop = null;
  }

  #tell({ id, name, state, received_bytes, total_bytes }: Download): void {
    this.tell({ type: "download", download: { id, name: name.slice(0, 255), state, received_bytes, total_bytes } });
  }
}
