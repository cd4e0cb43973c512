import { describe, expect, test } from "bun:test";
import { HypeError } from "../../src/contract/errors.ts";
import { aVm, anEvent, fakeClient, hype, streamOf } from "./harness.ts";

const listing = (items = [aVm()], total = items.length) =>
  fakeClient({ vms: { list: async () => ({ items, total }) } });

describe("vms resize", () => {
  test("sends what was given, and says what the next start has", async () => {
    const sizes: unknown[] = [];
    const resize = async (name: string, size: object) => {
      sizes.push([name, size]);
      return aVm({ status: "stopped", ...size });
    };
    const client = fakeClient({ vms: { resize } });
    const { stdout } = await hype(["vms", "resize", "demo", "--memory", "2G"], { client });
    expect(sizes).toEqual([["demo", { memory_mb: 2048 }]]);
    expect(stdout).toBe("demo starts with 2 cpu and 2048 MB from now on\n");
    expect((await hype(["vms", "resize", "demo"], { client })).stderr).toContain("error[usage]");
    expect(sizes).toHaveLength(1);
  });
});

describe("vms list", () => {
  test("is an aligned table for people", async () => {
    const vms = [aVm(), aVm({ name: "a-longer-name", status: "crashed", boot_ms: null, labels: { team: "日本" } })];
    const { code, stdout, stderr } = await hype(["vms", "list"], { client: listing(vms) });
    expect(code).toBe(0);
    expect(stderr).toBe("");
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.replace(/ +\d+[smhd] /, " AGE "));
    expect(lines[0]).toStartWith("NAME           STATUS   ADDRESS        CPU    MB   BOOT");
    expect(lines[1]).toStartWith("demo           running  192.168.127.2    2  1024  7.9 s");
    expect(lines[2]).toStartWith("a-longer-name  crashed  192.168.127.2    2  1024      -");
    expect(lines[2]).toEndWith("team=日本");
  });

  test("is the page itself for machines", async () => {
    const { stdout } = await hype(["vms", "list", "--json"], { client: listing() });
    expect(JSON.parse(stdout)).toEqual({ items: [aVm()], total: 1 });
    expect(stdout.split("\n")).toHaveLength(2);
  });

  test("is names only with -q, and says what to do when there is nothing", async () => {
    expect((await hype(["vms", "list", "-q"], { client: listing() })).stdout).toBe("demo\n");
    expect((await hype(["vms", "list"], { client: listing([]) })).stdout).toContain("hype vms create");
  });

  test("sends filters as the API names them and tells what was left out", async () => {
    const queries: unknown[] = [];
    const client = fakeClient({
      vms: {
        list: async (query) => {
          queries.push(query);
          return { items: [aVm()], total: 4 };
        },
      },
    });
    const argv = [
      "vms",
      "list",
      "--status",
      "running",
      "--label",
      "a=b",
      "--label",
      "c",
      "--sort=-name",
      "--limit",
      "1",
    ];
    const { stderr } = await hype(argv, { client });
    expect(queries).toEqual([{ status: "running", label: "a=b,c", sort: "-name", limit: "1" }]);
    expect(stderr).toContain("3 VMs more");
  });

  test("shows hostile text harmless", async () => {
    const labels = { note: "\x1b]0;owned\x07 \u202egpj" };
    const { stdout } = await hype(["vms", "list"], { client: listing([aVm({ labels })]) });
    expect(stdout).toContain("note=␛]0;owned␇ <202E>gpj");
    expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u);
    const json = (await hype(["vms", "list", "--json"], { client: listing([aVm({ labels })]) })).stdout;
    expect(json).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u);
    expect(JSON.parse(json).items[0].labels).toEqual(labels);
  });

  test("colours only where it may", async () => {
    expect((await hype(["vms", "list"], { client: listing() })).stdout).not.toContain("\x1b[");
    expect((await hype(["vms", "list"], { client: listing(), coloured: true })).stdout).toContain("\x1b[32mrunning");
  });
});

describe("vms get", () => {
  test("shows why a VM crashed and its console", async () => {
    const vm = aVm({ status: "crashed", status_reason: "guest panic", console_tail: "Oops\r\n\x1b[2Jbye\n" });
    const { stdout } = await hype(["vms", "get", "demo"], { client: fakeClient({ vms: { get: async () => vm } }) });
    expect(stdout).toContain("reason      guest panic");
    expect(stdout).toContain("Oops\n␛[2Jbye\n");
  });
});

describe("several names", () => {
  const client = () =>
    fakeClient({
      vms: {
        stop: async (name, options) => {
          if (name === "gone") throw new HypeError("vm_not_found", "there is no VM gone");
          return aVm({ name, status: "stopped", status_reason: options?.force ? "forced" : null });
        },
      },
    });

  test("one failure does not hold up the others, and decides the exit code", async () => {
    const { code, stdout, stderr } = await hype(["vms", "stop", "a", "gone", "b"], { client: client() });
    expect(code).toBe(1);
    expect(stdout).toBe("a is stopped\nb is stopped\n");
    expect(stderr).toContain("error[vm_not_found]: there is no VM gone");
  });

  test("--json is one VM a line", async () => {
    const { stdout } = await hype(["vms", "stop", "a", "b", "--force", "--json"], { client: client() });
    const vms = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(vms.map(({ name, status_reason }) => [name, status_reason])).toEqual([
      ["a", "forced"],
      ["b", "forced"],
    ]);
  });

  test.each(["start", "restart", "pause", "resume"] as const)("%s tells the state reached", async (verb) => {
    const act = async (name: string) => aVm({ name, status: verb === "pause" ? "paused" : "running" });
    const { code, stdout } = await hype(["vms", verb, "demo"], { client: fakeClient({ vms: { [verb]: act } }) });
    expect(code).toBe(0);
    expect(stdout).toStartWith(`demo is ${verb === "pause" ? "paused" : "running"}`);
  });
});

describe("vms delete", () => {
  const world = () => {
    const deleted: string[] = [];
    const items = [aVm({ name: "a" }), aVm({ name: "b" })];
    const client = fakeClient({
      vms: { list: async () => ({ items, total: 2 }), delete: async (name) => void deleted.push(name) },
    });
    return { deleted, client };
  };

  test("deletes the names given", async () => {
    const { deleted, client } = world();
    expect((await hype(["vms", "delete", "x", "y"], { client })).stdout).toBe("x is deleted\ny is deleted\n");
    expect(deleted).toEqual(["x", "y"]);
  });

  test.each([
    { name: "--all without a person wants --yes", argv: ["--all"], code: 2, gone: [] },
    { name: "--all --yes deletes all", argv: ["--all", "--yes"], code: 0, gone: ["a", "b"] },
    { name: "names and --all contradict", argv: ["--all", "a"], code: 2, gone: [] },
    { name: "nothing named", argv: [], code: 2, gone: [] },
  ])("$name", async ({ argv, code, gone }) => {
    const { deleted, client } = world();
    expect((await hype(["vms", "delete", ...argv], { client })).code).toBe(code);
    expect(deleted).toEqual([...gone]);
  });

  test.each([
    { answer: "y\n", code: 0, gone: ["a", "b"] },
    { answer: "n\n", code: 130, gone: [] },
    { answer: "\n", code: 130, gone: [] },
  ])("--all asks on a terminal: $answer", async ({ answer, code, gone }) => {
    const { deleted, client } = world();
    const outcome = await hype(["vms", "delete", "--all"], { client, stdin: answer, terminal: { stdin: true } });
    expect(outcome.stderr).toContain("Delete 2 VMs (a, b)? [y/N]");
    expect(outcome.code).toBe(code);
    expect(deleted).toEqual([...gone]);
  });
});

describe("vms watch", () => {
  const events = [anEvent("VM_CREATED"), anEvent("VM_RUNNING", { vm_name: "other", data: { boot_ms: 7900 } })];

  test("tells every event until Ctrl-C, then ends with 130", async () => {
    const interrupt = new AbortController();
    async function* stream() {
      yield* events;
      interrupt.abort();
    }
    const client = fakeClient({ events: { stream } });
    const words = await hype(["vms", "watch"], { client, interrupt });
    expect(words.code).toBe(130);
    expect(words.stderr).toBe("");
    expect(words.stdout).toMatch(/demo +VM_CREATED/);
    expect(words.stdout).toMatch(/other +VM_RUNNING +boot_ms=7900/);
  });

  test("--json is NDJSON, of one VM when it is named", async () => {
    const client = fakeClient({ events: { stream: () => streamOf(events) } });
    const { code, stdout } = await hype(["vms", "watch", "other", "--json"], { client });
    expect(code).toBe(0);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([events[1]]);
  });
});

describe("vms logs", () => {
  async function* pieces() {
    yield "one\r\ntw";
    yield "o \x1b[31m\nlast";
  }
  const client = () => fakeClient({ vms: { logs: () => pieces() } });

  test("gives a pipe the exact text and a terminal harmless text", async () => {
    expect((await hype(["vms", "logs", "demo"], { client: client() })).stdout).toBe("one\r\ntwo \x1b[31m\nlast\n");
    const shown = await hype(["vms", "logs", "demo"], { client: client(), terminal: { stdout: true } });
    expect(shown.stdout).toBe("one\ntwo ␛[31m\nlast\n");
  });

  test("--json is one line of log a line, however it was cut", async () => {
    const { stdout } = await hype(["vms", "logs", "demo", "--json", "--source", "vmm"], { client: client() });
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ source, line }) => `${source}:${line}`)).toEqual(["vmm:one", "vmm:two \x1b[31m", "vmm:last"]);
  });

  test("Ctrl-C while following ends with 130, quietly", async () => {
    const interrupt = new AbortController();
    async function* follow() {
      yield "one\n";
      interrupt.abort();
      throw new HypeError("cancelled", "the call was cancelled");
    }
    const following = fakeClient({ vms: { logs: () => follow() } });
    const outcome = await hype(["vms", "logs", "demo", "-f"], { client: following, interrupt });
    expect(outcome).toMatchObject({ code: 130, stdout: "one\n", stderr: "" });
  });

  test("refuses a source there is not, before asking a server", async () => {
    const { code, stderr } = await hype(["vms", "logs", "demo", "--source", "disk"]);
    expect(code).toBe(2);
    expect(stderr).toContain("console, agent, vmm");
  });
});
