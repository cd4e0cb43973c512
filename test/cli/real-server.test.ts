import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "../../src/client/client.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";
import { hype, type World } from "./harness.ts";

/** The commands, the typed client and the server's app together; only the engine below is made of rows. */
let server: TestServer;
beforeAll(() => {
  server = startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const ask = (argv: readonly string[], world: World = {}) =>
  hype([...argv, "--api", server.url, "--key", KEY], {
    connect: async (options) => connect(options),
    ...world,
  });

describe("against the server's own app", () => {
  test("create, list, get, stop, delete", async () => {
    const created = await ask(["vms", "create", "web", "--cpu", "2", "--label", "team=qa", "--no-wait", "--json"]);
    expect(created).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(created.stdout)).toMatchObject({ name: "web", cpu_cores: 2, labels: { team: "qa" } });

    expect((await ask(["vms", "list", "-q", "--status", "running"])).stdout).toBe("web\n");
    expect((await ask(["vms", "get", "web"])).stdout).toContain("192.168.127.");
    expect((await ask(["vms", "stop", "web", "--force"])).code).toBe(0);
    expect(server.engine.calls.join("\n")).toContain("stop web");
    expect((await ask(["vms", "delete", "web"])).stdout).toBe("web is deleted\n");
    expect((await ask(["vms", "list"])).stdout).toContain("no VMs");
  });

  test.each([
    { argv: ["vms", "get", "nobody"], code: 1, said: "error[vm_not_found]" },
    { argv: ["vms", "create", "../x"], code: 2, said: "error[invalid_request]: name must be lower-case letters" },
    { argv: ["vms", "create", "a", "--cpu", "0"], code: 2, said: "cpu_cores must be at least 1" },
    { argv: ["vms", "create", "a", "--memory", "1"], code: 2, said: "memory_mb must be at least 512" },
    { argv: ["vms", "get", "broken/../x"], code: 2, said: "error[invalid_request]" },
  ])("$argv ends with $code", async ({ argv, code, said }) => {
    const outcome = await ask(argv);
    expect(outcome.stderr).toContain(said);
    expect(outcome.code).toBe(code);
    expect(outcome.stdout).toBe("");
  });

  test("a name that is taken", async () => {
    server.engine.add("taken");
    const { code, stderr } = await ask(["vms", "create", "taken"]);
    expect(code).toBe(1);
    expect(stderr).toContain("error[vm_name_taken]");
    expect(server.engine.rows.has("taken")).toBe(true);
  });

  test("a wrong key", async () => {
    const { code, stderr } = await hype(["vms", "list", "--api", server.url, "--key", "x".repeat(20)], {
      connect: async (options) => connect(options),
    });
    expect(code).toBe(1);
    expect(stderr).toContain("error[unauthorized]");
    expect(stderr).not.toContain("x".repeat(20));
  });

  test("cdp prints a URL with a token that is not the key", async () => {
    server.engine.add("driven");
    const { stdout } = await ask(["cdp", "driven"]);
    expect(stdout).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/api\/v1\/vms\/driven\/cdp\?token=\S+\n$/);
    expect(stdout).not.toContain(KEY);
  });

  test("watch tells what happened and what happens", async () => {
    const before = server.engine.log.length;
    const vm = server.engine.add("seen");
    const interrupt = new AbortController();
    const { code, stdout } = await ask(["vms", "watch", "seen", "--after", String(before), "--json"], {
      interrupt,
      onStdout(text) {
        const lines = text.trimEnd().split("\n").length;
        if (lines === 1) server.engine.emit("VM_STOPPED", vm);
        else interrupt.abort();
      },
    });
    expect(code).toBe(130);
    const types = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).type);
    expect(types).toEqual(["VM_CREATED", "VM_STOPPED"]);
  });
});
