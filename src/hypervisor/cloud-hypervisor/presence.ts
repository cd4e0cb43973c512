import { pinSocket } from "../../host/files.ts";

/** An idle connection to a VMM, by which its death is heard of at once: the kernel closes it. */
export class Presence implements Disposable {
  #socket: Bun.Socket | null = null;
  readonly #lost = Promise.withResolvers<void>();

  /** Settles when the connection is gone, whoever closed it; at once when there was none to be had. */
  readonly lost = this.#lost.promise;

  private constructor() {}

  static async open(path: string): Promise<Presence> {
    const presence = new Presence();
    const lost = () => presence.#lost.resolve();
    try {
      using socket = pinSocket(path);
      presence.#socket = await Bun.connect({
        unix: socket.path,
        socket: { data() {}, close: lost, end: lost, error: lost },
      });
    } catch {
      lost();
    }
    return presence;
  }

  [Symbol.dispose](): void {
    this.#socket?.terminate();
    this.#lost.resolve();
  }
}
