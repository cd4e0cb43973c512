import * as v from "valibot";
import { WebSocketServer } from "ws";
import {
  HypeError,
  MAX_SHELLS,
  messageOf,
  SHELL_MESSAGE_BYTES,
  SHELL_WINDOW_BYTES,
  ShellCommand,
  type ShellMessage,
} from "../../src/contract/index.ts";
import { Shell } from "../shell/shell.ts";
import { refuse } from "./cdp-tunnel.ts";
import type { Upgrade } from "./door.ts";
import { watchHeartbeat } from "./heartbeat.ts";

export const SHELL_PATH = "/v1/shell";
/** A caller says at once what it wants, milliseconds. */
const OPEN_MS = 10_000;
/** RFC 6455, section 7.4.1: all is done; what was said breaks the rules; it cannot be done. */
const DONE = 1000;
const POLICY = 1008;
const FAILED = 1011;

const readCommand = v.safeParser(v.pipe(v.string(), v.parseJson(), ShellCommand));

/** `GET /v1/shell`, upgraded: a shell as contract/shell.ts has it, one a connection. */
export function shellSocket(): { upgrade: Upgrade; end(): void } {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: SHELL_MESSAGE_BYTES });
  const shells = new Set<Shell>();
  let connections = 0;
  const upgrade: Upgrade = (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    if (connections >= MAX_SHELLS)
      return refuse(socket, new HypeError("limit_reached", `${MAX_SHELLS} shells are open already`));
    server.handleUpgrade(request, socket, head, (client) => {
      connections += 1;
      let shell: Shell | null = null;
      const tell = (message: ShellMessage) => {
        if (client.readyState !== client.OPEN) return;
        client.send(JSON.stringify(message));
        if (message.type === "exit") client.close(DONE, "it has ended");
      };
      const output = (stream: number, bytes: Uint8Array) => {
        if (client.readyState !== client.OPEN) return;
        const message = Buffer.allocUnsafe(1 + bytes.length);
        message[0] = stream;
        message.set(bytes, 1);
        client.send(message);
      };
      const open = (command: Extract<ShellCommand, { type: "open" }>) => {
        clearTimeout(silence);
        const own = new Shell(command, { tell, output });
        shell = own;
        shells.add(shell);
        void shell.gone.then(() => shells.delete(own));
      };
      const obey = (text: string) => {
        const read = readCommand(text);
        if (!read.success) return client.close(POLICY, "that is no command");
        const { output: command } = read;
        if (command.type === "open") return shell ? client.close(POLICY, "it is open already") : open(command);
        if (!shell) return client.close(POLICY, "the first command must be open");
        if (command.type === "resize") shell.resize(command.columns, command.rows);
        else if (command.type === "signal") shell.signal(`SIG${command.signal}`);
        else if (command.type === "end") shell.end();
        else shell.acknowledge(command.bytes);
      };
      const silence = setTimeout(() => client.close(POLICY, "nothing was asked for"), OPEN_MS);
      watchHeartbeat(client);
      client.on("message", (data, isBinary) => {
        if (client.readyState !== client.OPEN) return;
        try {
          if (!isBinary) return obey(String(data));
          if (!shell) return client.close(POLICY, "the first command must be open");
          if (shell.waitingBytes + data.length > 2 * SHELL_WINDOW_BYTES)
            return client.close(POLICY, "more input than was acknowledged");
          shell.write(data);
        } catch (thrown) {
          client.close(FAILED, messageOf(thrown).slice(0, 100));
        }
      });
      client.on("error", () => client.terminate()); // a message beyond the limit, a broken frame
      client.on("close", () => {
        connections -= 1;
        clearTimeout(silence);
        shell?.[Symbol.dispose]();
      });
    });
  };
  return {
    upgrade,
    end() {
      for (const shell of shells) shell.kill();
    },
  };
}
