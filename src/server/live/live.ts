import type { EngineApi } from "../../engine/types.ts";
import type { Log } from "../../log/log.ts";
import { Desk } from "./desk.ts";
import { LiveLinks, type LiveLinksOptions } from "./links.ts";

export type LiveOptions = LiveLinksOptions & {
  engine: Pick<EngineApi, "get" | "takeControl" | "returnControl">;
  log: Log;
  /** How long a page that lost its connection keeps control, milliseconds; default 10 s. */
  graceMs?: number;
};

/** The live view of one server: who may open it, and who watches and acts. */
export class Live implements Disposable {
  readonly links: LiveLinks;
  readonly desk: Desk;

  constructor({ engine, log, graceMs, ...links }: LiveOptions) {
    this.links = new LiveLinks(links);
    this.desk = new Desk(engine, log, graceMs);
  }

  [Symbol.dispose](): void {
    this.links[Symbol.dispose]();
    this.desk[Symbol.dispose]();
  }
}
