import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { VERSION } from "../../src/contract/version.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");

/** The program itself, in a home of its own where nothing listens. */
async function hype(argv: string[], env: Record<string, string> = {}, cwd = "/") {
  using home = temporaryDirectory();
  const child = Bun.spawn([process.execPath, MAIN, ...argv], {
    cwd,
    env: { PATH: process.env.PATH ?? "", HOME: home.path, OVERHYPED_HOME: join(home.path, "state"), ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, stdout, stderr };
}

/** A port nothing listens on: it was free a moment ago. */
function closedPort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

describe("the hype program", () => {
  test.each([["--version"], ["version"], ["-V"]])("%s prints the version", async (argument) => {
    expect(await hype([argument])).toEqual({ code: 0, stdout: `hype ${VERSION}\n`, stderr: "" });
  });

  test("version --json is for machines", async () => {
    expect(JSON.parse((await hype(["version", "--json"])).stdout)).toEqual({ version: VERSION, bun: Bun.version });
  });

  test("no arguments: an overview", async () => {
    const { code, stdout, stderr } = await hype([]);
    expect(code).toBe(0);
    expect(stdout).toContain("hype try");
    expect(stdout).not.toContain("\x1b[");
    expect(stderr).toBe("");
  });

  test("an unknown command ends with 2, nothing on standard output", async () => {
    const { code, stdout, stderr } = await hype(["frobnicate"]);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toStartWith("error[usage]: there is no command `hype frobnicate`");
  });

  test("no server ends with 3 and says how to start one", async () => {
    const port = closedPort();
    const { code, stdout, stderr } = await hype(["vms", "list"], { OVERHYPED_API_BASE: `http://127.0.0.1:${port}` });
    expect(code).toBe(3);
    expect(stdout).toBe("");
    expect(stderr).toStartWith("error[server_unreachable]: ");
    expect(stderr).toContain(String(port));
    expect(stderr).toContain("hype serve");
  });

  test("no server with --json is a problem document", async () => {
    const env = { OVERHYPED_API_BASE: `http://127.0.0.1:${closedPort()}` };
    const { code, stderr } = await hype(["vms", "list", "--json"], env);
    expect(code).toBe(3);
    expect(JSON.parse(stderr)).toMatchObject({ code: "server_unreachable", status: 503 });
  });

  test("a wrong setting ends with 2 and names it", async () => {
    const { code, stderr } = await hype(["vms", "list"], { OVERHYPED_SUBNET: "10.0.0.1/8" });
    expect(code).toBe(2);
    expect(stderr).toContain("OVERHYPED_SUBNET");
  });

  test("a reader that leaves early is no error", async () => {
    const child = Bun.spawn([process.execPath, MAIN, "licenses"], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    await child.stdout.cancel(); // closed before the program has anything to say
    expect(await new Response(child.stderr).text()).toBe("");
    expect(await child.exited).toBe(0);
  });

  test("a terminal gets colours, and none with NO_COLOR", async () => {
    const shown = async (env: Record<string, string>) => {
      let output = "";
      const child = Bun.spawn([process.execPath, MAIN, "--help"], {
        env: { PATH: process.env.PATH ?? "", TERM: "xterm-256color", ...env },
        terminal: { cols: 80, rows: 24, data: (_terminal, data) => void (output += new TextDecoder().decode(data)) },
      });
      await child.exited;
      child.terminal?.close();
      return output;
    };
    expect(await shown({})).toContain("\x1b[1m");
    expect(await shown({ NO_COLOR: "1" })).not.toContain("\x1b[1m");
  });

  test("help works whatever the settings are", async () => {
    expect((await hype(["vms", "create", "--help"], { OVERHYPED_SUBNET: "nonsense" })).code).toBe(0);
  });
});
