import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "../../src/client/client.ts";
import type { Shell } from "../../src/client/types.ts";
import { HypeError, MAX_SHELLS } from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { type RunningAgent, startAgent } from "../lib/agent.ts";
import { refused } from "../lib/browsing.ts";
import { KEY, startTestServer, type TestServer } from "./harness.ts";

/** Shells through the server: the real client, the real app, the real agent as a local process. */
setDefaultTimeout(60_000);
let agent: RunningAgent;
let server: TestServer;
beforeAll(async () => {
  agent = await startAgent();
}, 60_000);
afterAll(() => agent[Symbol.asyncDispose]());
beforeEach(() => {
  server = startTestServer();
  server.engine.add("demo");
  server.engine.guests.set("demo", new Guest(agent.endpoint, agent.token));
});
afterEach(() => server[Symbol.asyncDispose]());

const TERMINAL = { columns: 80, rows: 24 };
const client = (key = KEY) => connect({ base: server.url, key });
const script = (text: string, terminal: typeof TERMINAL | null = null) => ({ command: ["sh", "-c", text], terminal });
/** Opened once the agent has noticed that those of the test before are gone. */
async function open(request: { command?: string[]; terminal: typeof TERMINAL | null }, vm = "demo"): Promise<Shell> {
  for (;;)
    try {
      return await client().vms.shell(vm, request);
    } catch (thrown) {
      if ((thrown as HypeError).code !== "guest_unreachable") throw thrown;
    }
}

/** All it says until it ends, or until it has said this. */
async function listen(shell: Shell, until?: string) {
  const said = { out: "", error: "", code: null as number | null };
  const pieces = shell.output();
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) return { ...said, code: value };
    said[value.stream === 1 ? "out" : "error"] += Buffer.from(value.bytes).toString();
    if (until !== undefined && said.out.includes(until)) return said;
  }
}

describe("a shell", () => {
  test("runs a command on pipes and tells its code", async () => {
    using shell = await open(script("cat; echo fault >&2; exit 5"));
    await shell.write(Buffer.from("hello"));
    shell.end();
    expect(await listen(shell)).toEqual({ out: "hello", error: "fault\n", code: 5 });
  });

  test("has a terminal, whose size follows", async () => {
    using shell = await open({ terminal: { columns: 91, rows: 17 } });
    await shell.write(Buffer.from("stty size\n"));
    await listen(shell, "17 91");
    shell.resize(40, 12);
    await shell.write(Buffer.from("stty size\n"));
    await listen(shell, "12 40");
    await shell.write(Buffer.from("exit 3\n"));
    expect((await listen(shell)).code).toBe(3);
  });

  test("takes megabytes, and gives them back", async () => {
    using shell = await open(script("exec cat"));
    const bytes = Buffer.alloc(5_000_000, "0123456789abcdefghijklmnopqrstuvwxy\n");
    const heard = listen(shell);
    await shell.write(bytes);
    shell.end();
    const { out, code } = await heard;
    expect(code).toBe(0);
    expect(Buffer.from(out).equals(bytes)).toBe(true);
  });

  test("that floods while nobody listens is not cut, and ends when its caller goes", async () => {
    using shell = await open(script("exec yes", TERMINAL));
    const pieces = shell.output();
    await pieces.next();
    using other = await open(script("echo alive"));
    expect((await listen(other)).out).toBe("alive\n");
    for (let bytes = 0; bytes < 2_000_000;) {
      const { value } = await pieces.next();
      bytes += (value as { bytes: Uint8Array }).bytes.length;
    }
  });

  test("several at once are apart", async () => {
    const shells = await Promise.all([1, 2].map(() => open(script("read word; echo got $word"))));
    await Promise.all(shells.map((shell, at) => shell.write(Buffer.from(`word${at}\n`))));
    const said = await Promise.all(shells.map((shell) => listen(shell)));
    expect(said.map(({ out }) => out)).toEqual(["got word0\n", "got word1\n"]);
  });

  test("ends when its VM does, and says so", async () => {
    using shell = await open({ terminal: TERMINAL });
    await shell.write(Buffer.from("echo rea''dy\n"));
    await listen(shell, "ready");
    server.engine.gone.get("demo")?.abort(new HypeError("vm_not_running", "demo was stopped"));
    expect(await refused("vm_not_running", listen(shell))).toContain("demo was stopped");
  });

  test("ends with the server, and with its key", async () => {
    const { key } = await client().keys.create({ name: "guest", scope: "operate" });
    using shell = await connect({ base: server.url, key }).vms.shell("demo", { terminal: TERMINAL });
    await client().keys.revoke("guest");
    await refused("unauthorized", listen(shell));
    using last = await open({ terminal: TERMINAL });
    server.shutDown.abort();
    await refused("shutting_down", listen(last));
  });
});

describe("is refused, with the reason", () => {
  test("where the VM is not there, or not running", async () => {
    server.engine.add("asleep", { status: "stopped" });
    await refused("vm_not_found", client().vms.shell("nobody", { terminal: null }));
    await refused("vm_not_running", client().vms.shell("asleep", { terminal: null }));
  });

  test("to a key that only reads, to one that sees other VMs, and without one", async () => {
    const { key } = await client().keys.create({ name: "reader", scope: "read" });
    await refused("forbidden", client(key).vms.shell("demo", { terminal: null }));
    const other = await client().keys.create({ name: "other", scope: "operate", restriction: { vms: ["web-*"] } });
    await refused("vm_not_found", client(other.key).vms.shell("demo", { terminal: null }));
    await refused("unauthorized", connect({ base: server.url, key: null }).vms.shell("demo", { terminal: null }));
    const own = await client().keys.create({ name: "own", scope: "operate", restriction: { vms: ["demo"] } });
    using shell = await client(own.key).vms.shell("demo", script("echo mine"));
    expect((await listen(shell)).out).toBe("mine\n");
  });

  test("to the page of another site, to a token of the CDP door, and without an upgrade", async () => {
    const path = "/api/v1/vms/demo/shell";
    expect((await server.call(path, { headers: { origin: "https://evil.example" } })).status).toBe(403);
    const { token } = server.tokens.mint(server.engine.get("demo").id, 60);
    expect((await fetch(`${server.url}${path}?token=${token}`)).status).toBe(401);
    expect(await (await server.call(path)).json()).toMatchObject({ code: "invalid_request" });
  });

  test("when as many are open as may be; one that ends makes room", async () => {
    const shells = await Promise.all(Array.from({ length: MAX_SHELLS }, () => open({ terminal: TERMINAL })));
    expect(await refused("limit_reached", client().vms.shell("demo", { terminal: null }))).toContain("demo");
    await shells[0]!.write(Buffer.from("exit\n"));
    await listen(shells[0]!);
    for (;;) {
      const next = await open({ terminal: TERMINAL }).catch((thrown: HypeError) => thrown.code);
      if (next === "limit_reached") continue; // the server hears of the end a moment after the caller
      (next as Shell)[Symbol.dispose]();
      break;
    }
    for (const shell of shells) shell[Symbol.dispose]();
  });

  test("when no agent answers", async () => {
    server.engine.add("mute");
    server.engine.guests.set("mute", new Guest("http://127.0.0.1:1", "token"));
    await refused("guest_unreachable", client().vms.shell("mute", { terminal: null }));
  });
});

test("who opened one stands in the audit", async () => {
  const { key } = await client().keys.create({ name: "ada", scope: "operate" });
  using shell = await client(key).vms.shell("demo", script("exit 0"));
  await listen(shell);
  expect((await client().audit()).items).toContainEqual(
    expect.objectContaining({ path: "/api/v1/vms/demo/shell", vm: "demo", key_name: "ada", status: 101 }),
  );
});
