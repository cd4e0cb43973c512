import { describe, expect, test } from "bun:test";
import { HypeError } from "../../src/contract/errors.ts";
import type { CreateVmInput } from "../../src/contract/vm.ts";
import { silentProgress } from "../../src/cli/output/progress.ts";
import { waitRunning } from "../../src/cli/vms/follow.ts";
import { aVm, anEvent, fakeClient, hype, streamOf } from "./harness.ts";

const booted = [
  anEvent("VM_BOOT_PROGRESS", { data: { phase: "spawned" } }),
  anEvent("VM_BOOT_PROGRESS", { data: { phase: "agent" } }),
  anEvent("VM_BOOT_PROGRESS", { vm_id: "another", vm_name: "other", data: { phase: "browser" } }),
  anEvent("VM_RUNNING", { data: { boot_ms: 7900 } }),
];

/** A server on which a VM is created and then meets these events. */
function world(events = booted, last = aVm()) {
  const calls: { created: CreateVmInput[]; deleted: string[] } = { created: [], deleted: [] };
  const client = fakeClient({
    vms: {
      create: async (input, options) => {
        expect(options?.wait).toBe(false);
        calls.created.push(input);
        return aVm({ status: "creating", boot_ms: null, accelerator: null });
      },
      get: async () => last,
      delete: async (ref) => void calls.deleted.push(ref),
    },
    events: {
      list: async () => ({ items: [anEvent("VM_CREATED")], next: null }),
      stream: (query) => streamOf(events, query?.signal),
    },
  });
  return { client, calls };
}

describe("vms create", () => {
  test("tells the phases on standard error and the result on standard output", async () => {
    const { client, calls } = world();
    const { code, stdout, stderr } = await hype(["vms", "create", "demo"], { client });
    expect(code).toBe(0);
    expect(calls.created).toEqual([{ name: "demo", labels: {} }]);
    expect(stdout).toStartWith("demo is running: 2 cpu, 1024 MB, software emulation (TCG), usable after 7.9 s\n");
    const steps = stderr
      .replaceAll(/ \(.*\)$/gm, "")
      .trimEnd()
      .split("\n");
    expect(steps).toEqual([
      "Creating demo ...",
      "Started the hypervisor",
      "Booting the guest ...",
      "Booted the guest",
      "Starting Chromium ...",
      "Started Chromium",
    ]);
  });

  test("--json is the VM alone; -q says nothing on the way", async () => {
    const { stdout, stderr } = await hype(["vms", "create", "demo", "--json", "-q"], { client: world().client });
    expect(JSON.parse(stdout)).toEqual(aVm());
    expect(stderr).toBe("");
  });

  test("sends what the options say", async () => {
    const { client, calls } = world();
    const options = ["--cpu", "4", "--memory", "2G", "--image", "abc", "--ttl", "1h30m", "--kernel-cmdline", "quiet"];
    await hype(["vms", "create", "demo", ...options, "--label", "a=b=c", "--label", "d="], { client });
    expect(calls.created).toEqual([
      {
        name: "demo",
        cpu_cores: 4,
        memory_mb: 2048,
        image: "abc",
        ttl_seconds: 5400,
        kernel_cmdline: "quiet",
        labels: { a: "b=c", d: "" },
      },
    ]);
  });

  test("--no-wait returns at once", async () => {
    const { client } = world([]);
    const { code, stdout } = await hype(["vms", "create", "demo", "--no-wait"], { client });
    expect(code).toBe(0);
    expect(stdout).toStartWith("demo is creating");
  });

  test.each([
    { argv: ["--cpu", "two"], said: '--cpu "two": expected a whole number' },
    { argv: ["--memory", "1T"], said: "--memory" },
    { argv: ["--ttl", "soon"], said: "--ttl" },
    { argv: ["--label", "novalue"], said: "key=value" },
    { argv: ["--label", "=x"], said: "key=value" },
  ])("refuses $argv before asking a server", async ({ argv, said }) => {
    const { code, stderr } = await hype(["vms", "create", "demo", ...argv]);
    expect(code).toBe(2);
    expect(stderr).toContain("error[usage]");
    expect(stderr).toContain(said);
  });

  test.each([
    {
      name: "a crash names its reason and the console's end",
      event: anEvent("VM_CRASHED", { data: { reason: "guest panic" } }),
      code: "boot_failed",
      said: "demo crashed while booting: guest panic\nKernel panic",
    },
    {
      name: "a crash keeps the server's code",
      event: anEvent("VM_CRASHED", { data: { reason: "not usable within 1 ms", code: "boot_timeout" } }),
      code: "boot_timeout",
      said: "not usable within 1 ms",
    },
    {
      name: "an undone creation keeps the server's code",
      event: anEvent("VM_DELETED", { data: { reason: "no image nope", code: "image_not_found" } }),
      code: "image_not_found",
      said: "demo could not be created: no image nope",
    },
    {
      name: "a creation that could not be undone yet does not keep its caller waiting",
      event: anEvent("VM_DELETING", { data: { reason: "no network", code: "network_failed" } }),
      code: "network_failed",
      said: "demo could not be created: no network",
    },
    {
      name: "a VM that somebody else deletes is gone, not interrupted here",
      event: anEvent("VM_DELETED", { data: { reason: "deleted on request", code: "cancelled" } }),
      code: "vm_not_found",
      said: "demo was deleted while booting: deleted on request",
    },
  ])("$name", async ({ event, code, said }) => {
    const { client, calls } = world([event], aVm({ status: "crashed", console_tail: "Kernel panic\n" }));
    const outcome = await hype(["vms", "create", "demo"], { client });
    expect(outcome.code).toBe(1);
    expect(outcome.stdout).toBe("");
    expect(outcome.stderr).toContain(`error[${code}]`);
    expect(outcome.stderr).toContain(said);
    expect(calls.deleted).toEqual([]);
  });

  test("a server that went away for good ends the waiting", async () => {
    const { client } = world([]);
    client.vms.get = async () => {
      throw new HypeError("server_unreachable", "no server answers");
    };
    const waiting = waitRunning(client, aVm(), silentProgress, new AbortController().signal, {
      everyMs: 1,
      failures: 3,
    });
    await expect(waiting).rejects.toMatchObject({ code: "server_unreachable", message: "no server answers" });
  });

  test("a server that comes back is waited for", async () => {
    const { client } = world();
    let asked = 0;
    const back = Promise.withResolvers<void>();
    client.vms.get = async () => {
      asked += 1;
      if (asked <= 2) throw new HypeError("server_unreachable", "restarting");
      back.resolve();
      return aVm();
    };
    client.events.stream = async function* () {
      await back.promise;
      yield anEvent("VM_RUNNING");
    };
    const watch = { everyMs: 1, failures: 3 };
    expect(await waitRunning(client, aVm(), silentProgress, new AbortController().signal, watch)).toEqual(aVm());
  });

  test("a refusal deletes nothing: the name may be another's", async () => {
    const { client, calls } = world();
    client.vms.create = async () => {
      throw new HypeError("vm_name_taken", "the name demo is taken");
    };
    const { code, stderr } = await hype(["vms", "create", "demo"], { client });
    expect(code).toBe(1);
    expect(stderr).toContain("error[vm_name_taken]");
    expect(calls.deleted).toEqual([]);
  });

  test("Ctrl-C while it boots deletes this very VM and ends with 130", async () => {
    const { client, calls } = world(booted.slice(0, 2));
    const interrupt = new AbortController();
    const stream = client.events.stream;
    client.events.stream = async function* (query) {
      for await (const event of stream(query)) {
        yield event;
        interrupt.abort();
      }
    };
    const { code, stdout, stderr } = await hype(["vms", "create", "demo"], { client, interrupt });
    expect(code).toBe(130);
    expect(calls.deleted).toEqual([aVm().id]);
    expect(stdout).toBe("");
    expect(stderr).toContain("Removed demo");
    expect(stderr).toContain("error[cancelled]");
  });

  test("Ctrl-C before the server answered waits for its answer, then undoes it", async () => {
    const { client, calls } = world();
    const interrupt = new AbortController();
    interrupt.abort();
    expect((await hype(["vms", "create", "demo"], { client, interrupt })).code).toBe(130);
    expect(calls.created).toHaveLength(1);
    expect(calls.deleted).toEqual([aVm().id]);
  });
});
