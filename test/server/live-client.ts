import { LIVE_SUBPROTOCOL } from "../../src/contract/index.ts";

type Message = Record<string, unknown> & { type: string };

/** A page of the live view without the page: its socket. `next(type)` gives its messages of one type in order. */
export function openLive(url: string, options: { page?: string; headers?: Record<string, string> } = {}) {
  const { origin, pathname, hash } = new URL(url);
  const token = hash.slice(1);
  const socket = new (WebSocket as never as new (url: string, options: object) => WebSocket)(
    `${origin.replace("http", "ws")}${pathname}/socket/${token.split(".")[0]}?page=${options.page ?? "one"}`,
    { protocols: [LIVE_SUBPROTOCOL, token], ...(options.headers && { headers: options.headers }) },
  );
  socket.binaryType = "arraybuffer";
  const arrived: Message[] = [];
  let changed = Promise.withResolvers<void>();
  const wake = () => {
    const before = changed;
    changed = Promise.withResolvers();
    before.resolve();
  };
  socket.onmessage = ({ data }) => {
    arrived.push(
      typeof data === "string"
        ? (JSON.parse(data) as Message)
        : { type: "picture", bytes: Buffer.from(data as ArrayBuffer) },
    );
    wake();
  };
  socket.onerror = () => {};
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.onclose = ({ code, reason }) => {
      resolve({ code, reason });
      wake();
    };
  });
  const opened = new Promise<boolean>((resolve) => {
    socket.onopen = () => resolve(true);
    void closed.then(() => resolve(false));
  });
  return {
    socket,
    opened,
    closed,
    arrived,
    send: (command: object | string) => socket.send(typeof command === "string" ? command : JSON.stringify(command)),
    /** The first message of a type that passes, taken out of what arrived. */
    async next(type: string, passes: (message: Message) => boolean = () => true): Promise<Message> {
      for (;;) {
        const at = arrived.findIndex((message) => message.type === type && passes(message));
        if (at >= 0) return arrived.splice(at, 1)[0] as Message;
        if (socket.readyState === WebSocket.CLOSED) throw new Error(`closed; there was ${JSON.stringify(arrived)}`);
        await changed.promise;
      }
    },
  };
}
export type LiveSocket = ReturnType<typeof openLive>;
