import { inflateSync } from "node:zlib";
import type { LiveCommand, LiveFrame, LiveMessage } from "../../src/contract/index.ts";
import * as v from "valibot";
import { LiveFrame as FrameSchema, LiveMessage as MessageSchema } from "../../src/contract/index.ts";
import { liveSocket, readLiveFrame } from "../../src/guest/live.ts";

/** What has not come by then does not come. */
const PATIENCE_MS = 10_000;

type Input = { type: LiveCommand["type"] } & Record<string, unknown>;
export type Shown = { head: LiveFrame; jpeg: Uint8Array };

/** A watcher of the agent's live view: says what a page would say, and keeps what it hears. */
export type Watcher = Disposable & {
  say(command: Input): void;
  sayRaw(text: string | Uint8Array<ArrayBuffer>): void;
  /** Pictures are acknowledged by themselves unless this is false. */
  acknowledges: boolean;
  readonly pictures: Shown[];
  readonly messages: LiveMessage[];
  /** The first one from `since` on that is meant; waits for it. */
  picture(isMeant?: (shown: Shown) => boolean | Promise<boolean>, since?: number): Promise<Shown>;
  message<T extends LiveMessage["type"]>(
    type: T,
    isMeant?: (message: Extract<LiveMessage, { type: T }>) => boolean,
    since?: number,
  ): Promise<Extract<LiveMessage, { type: T }>>;
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
};

export async function watchLive(agent: { endpoint: string; token: string }): Promise<Watcher> {
  const { url, headers } = liveSocket(agent);
  const socket = new WebSocket(url, { headers } as never);
  socket.binaryType = "arraybuffer";
  const pictures: Shown[] = [];
  const messages: LiveMessage[] = [];
  let changed = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<number>();
  socket.onopen = () => opened.resolve();
  socket.onclose = ({ code }) => {
    opened.reject(new Error(`the live view was not opened: ${code}`));
    closed.resolve(code);
  };
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") messages.push(v.parse(MessageSchema, JSON.parse(data)));
    else {
      const { head, image } = readLiveFrame(new Uint8Array(data));
      pictures.push({ head: v.parse(FrameSchema, head), jpeg: image });
      if (watcher.acknowledges) watcher.say({ type: "ack", frame: head.frame });
    }
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const watcher: Watcher = {
    acknowledges: true,
    pictures,
    messages,
    closed: closed.promise,
    say: (command) => socket.send(JSON.stringify(command)),
    sayRaw: (text) => socket.send(text),
    async picture(isMeant = () => true, since = 0) {
      const asked = performance.now();
      for (let at = since; ;) {
        const change = changed.promise;
        for (; at < pictures.length; at++) if (await isMeant(pictures[at]!)) return pictures[at]!;
        await soon(
          change,
          asked,
          () => `no such picture after ${pictures.length}; ${JSON.stringify(messages.slice(-5))}`,
        );
      }
    },
    async message(type, isMeant = () => true, since = 0) {
      const asked = performance.now();
      for (let at = since; ;) {
        const change = changed.promise;
        for (; at < messages.length; at++) {
          const message = messages[at] as never;
          if (messages[at]!.type === type && isMeant(message)) return message;
        }
        await soon(change, asked, () => `no such ${type}; ${JSON.stringify(messages.slice(-5))}`);
      }
    },
    [Symbol.dispose]: () => socket.close(),
  };
  await opened.promise;
  return watcher;
}

async function soon(change: Promise<void>, since: number, why: () => string): Promise<void> {
  const patience = Promise.withResolvers<never>();
  const timer = setTimeout(() => patience.reject(new Error(why())), since + PATIENCE_MS - performance.now());
  await Promise.race([change, patience.promise]).finally(() => clearTimeout(timer));
}

/** Mean colour of a picture: it is drawn into one pixel. */
export async function colourOf(image: Uint8Array): Promise<[red: number, green: number, blue: number]> {
  const png = Buffer.from(await new Bun.Image(image as Uint8Array<ArrayBuffer>).resize(1, 1).png().bytes());
  const data = png.indexOf("IDAT");
  // One row of one pixel; its first byte says that it is not filtered, or from what: there is nothing before it.
  const [, red = 0, green = 0, blue = 0] = inflateSync(png.subarray(data + 4, data + 4 + png.readUInt32BE(data - 4)));
  return [red, green, blue];
}

export const isNear = (colour: number[], wanted: number[]): boolean =>
  colour.every((value, at) => Math.abs(value - wanted[at]!) < 24);
