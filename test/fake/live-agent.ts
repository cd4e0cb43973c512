import type { ServerWebSocket } from "bun";

/** 320 x 200 pixels of red, as a real JPEG. */
export const RED_JPEG = Buffer.from(
  "/9j/4AAQSkZJRgABAgAAAQABAAD//gAQTGF2YzU5LjM3LjEwMAD/2wBDAAgoKC8oLzc3Nzc3N0E8QUNDQ0FBQUFDQ0NISEhVVVVISEhDQ0hIUFBVVVxfXFdXVVdfX2RkZHh4c3OMjJGsrM//xABNAAEBAAAAAAAAAAAAAAAAAAAABgEBAQEAAAAAAAAAAAAAAAAAAAYHEAEAAAAAAAAAAAAAAAAAAAAAEQEAAAAAAAAAAAAAAAAAAAAA/8AAEQgAyAFAAwEiAAIRAAMRAP/aAAwDAQACEQMRAD8AiwEo38AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB/9k=",
  "base64",
);

/** One picture as contract/live.ts has it on the wire. */
export function pictureOf(head: object | string, image: Buffer = RED_JPEG): Buffer {
  const text = Buffer.from(typeof head === "string" ? head : JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, text, image]);
}
export const HEAD = { frame: 1, tab: "T1", format: "jpeg", width: 320, height: 200 };

/** The agent's live view as a program on a real socket: remembers what it was told, says what the test tells it to. */
export function startLiveAgent() {
  const sockets: ServerWebSocket<unknown>[] = [];
  const commands: Record<string, unknown>[] = [];
  const closes: { code: number; reason: string }[] = [];
  let changed = Promise.withResolvers<void>();
  const wake = () => {
    const before = changed;
    changed = Promise.withResolvers();
    before.resolve();
  };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request, self) {
      const isRight =
        new URL(request.url).pathname === "/v1/live" && request.headers.get("authorization") === "Bearer guest-token";
      return isRight && self.upgrade(request) ? undefined : new Response("no", { status: 404 });
    },
    websocket: {
      open(socket) {
        sockets.push(socket);
        wake();
      },
      message(socket, message) {
        const command = JSON.parse(String(message)) as Record<string, unknown>;
        commands.push(command);
        if (command.type === "watch") socket.send(pictureOf({ ...HEAD, frame: commands.length }));
        wake();
      },
      close(_socket, code, reason) {
        closes.push({ code, reason });
        wake();
      },
    },
  });
  return {
    sockets,
    commands,
    closes,
    /** What the server asks of a Guest for it. */
    guest: { endpoint: `http://127.0.0.1:${server.port}`, token: "guest-token" } as never,
    async until(isDone: () => boolean): Promise<void> {
      while (!isDone()) await changed.promise;
    },
    [Symbol.asyncDispose]: async () => {
      await server.stop(true);
    },
  };
}
export type LiveAgent = ReturnType<typeof startLiveAgent>;
