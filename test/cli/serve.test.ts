import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { temporaryDirectory } from "../lib/temporary.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");

/** `hype serve` in a home of its own, on a port of the kernel's choice. */
function startServe(home: string, argv: string[] = []) {
  return Bun.spawn([process.execPath, MAIN, "serve", "--listen", "127.0.0.1:0", ...argv], {
    cwd: "/",
    env: { PATH: process.env.PATH ?? "", HOME: home, OVERHYPED_HOME: join(home, "state") },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of stream) {
    text += decoder.decode(piece, { stream: true });
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0] ?? "";
}

const command = (home: string, argv: string[]) =>
  Bun.spawn([process.execPath, MAIN, ...argv], {
    cwd: "/",
    env: { PATH: process.env.PATH ?? "", HOME: home, OVERHYPED_HOME: join(home, "state") },
    stdout: "pipe",
    stderr: "pipe",
  });

describe("hype serve", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("tells where it serves, works, and ends well on %s", async (signal) => {
    using home = temporaryDirectory();
    await using server = startServe(home.path, ["--json"]);
    const said = JSON.parse(await firstLine(server.stdout)) as { url: string; admin_key_file: string; pid: number };
    expect(said.pid).toBe(server.pid);
    expect(said.admin_key_file).toBe(home.join("state", "admin.key"));

    const list = command(home.path, ["vms", "list", "--api", said.url, "--json"]);
    expect(JSON.parse(await new Response(list.stdout).text())).toEqual({ items: [], total: 0 });
    expect(await list.exited).toBe(0);

    server.kill(signal);
    expect(await server.exited).toBe(0);
    const lines = (await new Response(server.stderr).text()).trimEnd().split("\n");
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), room: expect.any(String) });
  });

  test("a second server on the same state is refused, in words", async () => {
    using home = temporaryDirectory();
    await using first = startServe(home.path);
    expect(await firstLine(first.stdout)).toMatch(
      /^hype serves http:\/\/127\.0\.0\.1:\d+; the admin key is in .*admin\.key$/,
    );
    const second = startServe(home.path);
    const stderr = await new Response(second.stderr).text();
    expect(await second.exited).toBe(1);
    expect(stderr).toContain("error[state_locked]");
    first.kill("SIGTERM");
    expect(await first.exited).toBe(0);
  });

  test("a port that is taken is refused, and nothing is left running", async () => {
    using home = temporaryDirectory();
    const stranger = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const server = command(home.path, ["serve", "--listen", `127.0.0.1:${stranger.port}`]);
    const stderr = await new Response(server.stderr).text();
    expect(await server.exited).toBe(1);
    stranger.stop(true);
    expect(stderr).toContain("error[port_taken]");
  });
});
