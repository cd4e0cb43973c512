import { describe, expect, test } from "bun:test";
import { closeSync, constants, existsSync, openSync, readFileSync, readSync, statSync, writeFileSync } from "node:fs";
import { API, EVENTS, TestVmm } from "./vmm.ts";

const mode = (path: string): number => statSync(path).mode & 0o777;

describe("the command line", () => {
  test.each([
    [[], 2, "Usage"],
    [["--api-socket", "S", "--landlock"], 2, "--kernel"],
    [["--api-socket", "S", "--serial", "null"], 2, "--kernel"],
    [["--pvpanic"], 2, "--kernel"],
    [["--cpus", "boot=1"], 2, "--kernel"],
    [["--nonsense"], 2, "--nonsense"],
    [["--api-socket"], 2, "--api-socket"],
    [["--api-socket", "S", "--seccomp", "maybe"], 2, "seccomp"],
    [["--kernel", "K", "--restore", "source_url=file:///x"], 2, "--restore"],
    [["--api-socket", "S", "--event-monitor", "events"], 1, "event-monitor"],
    [["--api-socket", "path=a,b"], 1, "--api-socket"],
    [["--api-socket", `path=/tmp/${"x".repeat(103)}`], 1, "SUN_LEN"],
  ] as [string[], number, string][])("%p ends with %p", async (argv, code, word) => {
    await using vmm = new TestVmm({}, argv);
    const ended = await vmm.end();
    expect(ended).toMatchObject({ code, stdout: "" });
    expect(ended.stderr).toContain(word);
  });

  test.each([
    [["--version"], "v53.0", "cloud-hypervisor v53.0\nMigration Protocol Versions: 0\n"],
    [["-V"], "v53.0-246-gae44c2971", "cloud-hypervisor v53.0-246-gae44c2971\nMigration Protocol Versions: 0\n"],
    [
      ["--version", "-v"],
      "v54.0",
      'cloud-hypervisor v54.0\nMigration Protocol Versions: 0\nEnabled features: ["io_uring", "kvm", "mshv"]\n',
    ],
  ])("%p of %p", async (argv, version, stdout) => {
    await using vmm = new TestVmm({ version }, argv);
    expect(await vmm.end()).toMatchObject({ code: 0, stdout, stderr: "" });
  });

  test("a whole VM, without the API's calls", async () => {
    const vm = [
      "--kernel",
      "/etc/passwd",
      "--cpus",
      "boot=2",
      "--memory",
      "size=256M",
      "--console",
      "off",
      "--pvpanic",
    ];
    await using vmm = await TestVmm.ready({}, [...API, ...EVENTS, ...vm]);
    await vmm.until(() => vmm.story().includes("vm/booted"));
    expect(await vmm.info()).toMatchObject({
      state: "Running",
      memory_actual_size: 268_435_456,
      config: { cpus: { boot_vcpus: 2, max_vcpus: 2 }, pvpanic: true, console: { mode: "Off" } },
    });
  });
});

describe("the API socket", () => {
  test("is there when vmm.ping answers; nothing is said on stdout, and nobody else gets at the files", async () => {
    await using vmm = await TestVmm.ready({}, [...API, ...EVENTS, "--log-file", "ch.log", "-v"]);
    const ping = await vmm.get("vmm.ping");
    expect(JSON.parse(ping.text)).toEqual({
      build_version: "v53.0",
      version: "53.0.0",
      pid: vmm.pid,
      features: ["io_uring", "kvm", "mshv"],
    });
    expect(mode(vmm.socket)).toBe(0o700);
    expect(mode(vmm.directory.join("ch.log"))).toBe(0o600);
    expect(mode(vmm.directory.join("events"))).toBe(0o600);
    expect((await vmm.end("SIGTERM")).stdout).toBe("");
  });

  test("a stale one is replaced, beside a lock file that stays", async () => {
    await using vmm = await TestVmm.ready();
    await vmm.end("SIGKILL");
    expect(existsSync(vmm.socket)).toBe(true);
    await using second = Bun.spawn([vmm.program.program, ...API, "--event-monitor", "path=second"], {
      cwd: vmm.directory.path,
    });
    while (!existsSync(vmm.directory.join("second")) || (await vmm.get("vmm.ping").catch(() => null)) === null);
    second.kill("SIGTERM");
    expect(await second.exited).toBe(0);
    expect(existsSync(vmm.socket)).toBe(false);
    expect(existsSync(`${vmm.socket}.lock`)).toBe(true);
  });

  test("a live owner keeps it", async () => {
    await using vmm = await TestVmm.ready();
    await using second = Bun.spawn([vmm.program.program, ...API], { cwd: vmm.directory.path, stderr: "pipe" });
    expect(await new Response(second.stderr).text()).toContain("API socket api.sock is already in use");
    expect(await second.exited).toBe(1);
    expect((await vmm.get("vmm.ping")).status).toBe(200);
  });

  test("up to v52 whatever is at the path is the end, and v52 removes it", async () => {
    for (const [version, stays] of [
      ["v51.0", true],
      ["v52.0", false],
    ] as const) {
      await using vmm = new TestVmm({ version }, API, (directory) => writeFileSync(`${directory}/api.sock`, ""));
      expect((await vmm.end()).code).toBe(1);
      expect(existsSync(vmm.socket)).toBe(stays);
    }
  });
});

describe("the end", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("%s tears the VM down at once: exit 0, sockets gone", async (signal) => {
    await using vmm = await TestVmm.ready();
    await vmm.boot({ payload: { kernel: "/etc/passwd" }, vsock: { cid: 3, socket: "v.sock" } });
    expect(existsSync(vmm.directory.join("v.sock"))).toBe(true);
    expect(await vmm.end(signal)).toMatchObject({ code: 0, stdout: "" });
    expect(vmm.story().slice(-3)).toEqual(["vm/shutdown", "vm/deleted", "vmm/shutdown"]);
    expect(existsSync(vmm.socket) || existsSync(vmm.directory.join("v.sock"))).toBe(false);
  });

  test("SIGKILL leaves the sockets", async () => {
    await using vmm = await TestVmm.ready();
    await vmm.boot({ payload: { kernel: "/etc/passwd" }, vsock: { cid: 3, socket: "v.sock" } });
    await vmm.end("SIGKILL");
    expect(existsSync(vmm.socket) && existsSync(vmm.directory.join("v.sock"))).toBe(true);
  });
});

describe("log and events", () => {
  test("without -v warnings and worse, with it every call; the file is cut at start, and stderr is the default", async () => {
    await using quiet = await TestVmm.ready({}, [...API, "--log-file", "log"], (at) =>
      writeFileSync(`${at}/log`, "old"),
    );
    await quiet.get("vmm.ping");
    expect(readFileSync(quiet.directory.join("log"), "utf8")).toBe("");
    await using loud = await TestVmm.ready({}, [...API, "-v"]);
    await loud.get("vmm.ping");
    expect((await loud.end("SIGTERM")).stderr).toContain("vmm.ping");
  });

  test("the file is cut at start and holds objects over several lines, each before an empty one, in the order of time", async () => {
    await using vmm = await TestVmm.ready({}, undefined, (at) => writeFileSync(`${at}/events`, "old"));
    await vmm.boot();
    const text = readFileSync(vmm.directory.join("events"), "utf8");
    expect(text).toStartWith('{\n  "timestamp": {\n    "secs": 0,\n    "nanos": ');
    expect(text).toEndWith('  "source": "vm",\n  "event": "booted",\n  "properties": null\n}\n\n');
    expect(vmm.story()).toEqual(["vmm/starting", "vm/booting", "vm/booted"]);
    const times = vmm.events().map(({ timestamp: { secs, nanos } }) => secs * 1e9 + nanos);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(vmm.events().find(({ source }) => source === "virtio-device")).toMatchObject({
      event: "activated",
      properties: { id: "__rng" },
    });
  });

  test("a FIFO holds the start up until somebody reads it", async () => {
    await using vmm = new TestVmm({}, undefined, (at) => void Bun.spawnSync(["mkfifo", `${at}/events`]));
    await vmm.until(() => vmm.program.starts().length > 0);
    const reader = Bun.spawn(["cat", "events"], { cwd: vmm.directory.path, stdout: "pipe" });
    await vmm.until(() => existsSync(vmm.socket));
    await vmm.end("SIGTERM");
    expect(await new Response(reader.stdout).text()).toContain('"event": "shutdown"');
  });

  test("a pipe that nobody drains loses events, and holds nothing up", async () => {
    let pipe = -1;
    await using vmm = await TestVmm.ready({}, undefined, (at) => {
      Bun.spawnSync(["mkfifo", `${at}/events`]);
      pipe = openSync(`${at}/events`, constants.O_RDWR | constants.O_NONBLOCK);
    });
    await vmm.boot();
    const calls = 600; // of two events with over 110 bytes each; a pipe holds 64 KiB (pipe(7))
    for (let time = 0; time < calls / 2; time++) for (const name of ["vm.pause", "vm.resume"]) await vmm.put(name);
    expect((await vmm.end("SIGTERM")).code).toBe(0);
    const held = Buffer.alloc(1_048_576);
    const text = held.toString("latin1", 0, readSync(pipe, held));
    closeSync(pipe);
    expect(text).toContain('"event": "booted"');
    expect(text).not.toContain('"event": "deleted"');
  });

  test("a descriptor that was inherited will do for the events", async () => {
    await using vmm = new TestVmm({}, ["--version"]);
    await vmm.end();
    const events = openSync(vmm.directory.join("events"), "w");
    await using child = Bun.spawn([vmm.program.program, ...API, "--event-monitor", "fd=3"], {
      cwd: vmm.directory.path,
      stdio: ["ignore", "ignore", "inherit", events],
    });
    closeSync(events);
    while ((await vmm.get("vmm.ping").catch(() => null)) === null);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect(vmm.story()).toEqual(["vmm/starting", "vmm/shutdown"]);
  });
});
