/** Passes bytes to one address and back, and looks at nothing: what a second process on the way costs at least. argv: host, port. Prints its own port. */
import type { Socket } from "bun";

const [host = "", port = ""] = process.argv.slice(2);
const listener = Bun.listen<{ other: Promise<Socket> }>({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    open(near) {
      const socket = { data: (_far: Socket, bytes: Uint8Array) => void near.write(bytes) };
      near.setNoDelay(true);
      near.data = { other: Bun.connect({ hostname: host, port: Number(port), socket }) as Promise<Socket> };
    },
    data: async (near, bytes) => void (await near.data.other).write(bytes),
    close: async (near) => void (await near.data.other).terminate(),
  },
});
console.log(listener.port);
