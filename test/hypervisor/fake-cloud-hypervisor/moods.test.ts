import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { MINIMAL, RawClient, TestVmm } from "./vmm.ts";

const PING = "GET /api/v1/vmm.ping HTTP/1.1\r\n\r\n";

describe("moods of a call", () => {
  test.each([
    [{ crash: "SIGSEGV" as const }, { code: null, signal: "SIGSEGV" }, ""],
    [{ crash: 1 }, { code: 1, signal: null }, "panicked"],
    [{ seccomp: true }, { code: null, signal: "SIGSYS" }, "seccomp"],
  ])("%p", async (trouble, end, words) => {
    await using vmm = await TestVmm.ready({ calls: { "vm.boot": trouble } });
    await vmm.put("vm.create", MINIMAL);
    expect(await vmm.put("vm.boot").catch(() => "no answer")).toBe("no answer");
    const ended = await vmm.end();
    expect(ended).toMatchObject(end);
    expect(ended.stderr).toContain(words);
  });

  test("crashAfter: the call is carried out, and nobody hears of it", async () => {
    await using vmm = await TestVmm.ready({ calls: { "vm.boot": { crashAfter: true } } });
    await vmm.put("vm.create", MINIMAL);
    expect(await vmm.put("vm.boot").catch(() => "no answer")).toBe("no answer");
    expect((await vmm.end()).signal).toBe("SIGKILL");
    expect(vmm.story().at(-1)).toBe("vm/booted");
  });

  test("refuse: with a chain of one's own, and the call is not carried out", async () => {
    await using vmm = await TestVmm.ready({
      calls: { "vm.create": { refuse: { status: 409, chain: ["no", "way"] } } },
    });
    expect(await vmm.put("vm.create", MINIMAL)).toMatchObject({ status: 409, chain: ["no", "way"] });
    expect((await vmm.get("vm.info")).status).toBe(404);
  });

  test("drop and halfWrite: the connection ends without, or in the middle of, an answer", async () => {
    await using vmm = await TestVmm.ready({ calls: { "vmm.ping": { drop: true } } });
    using dropped = await RawClient.connect(vmm.socket);
    expect(await dropped.send(PING).untilClosed()).toBe("");
    await vmm.program.change(vmm.pid, { calls: { "vmm.ping": { halfWrite: true } } });
    using half = await RawClient.connect(vmm.socket);
    const text = await half.send(PING).untilClosed();
    expect(text).toStartWith("HTTP/1.1 200 \r\n");
    expect(text).not.toContain("}");
  });

  test("delayMs: a slow ping", async () => {
    await using vmm = await TestVmm.ready({ calls: { "vmm.ping": { delayMs: 100 } } });
    const began = performance.now();
    expect((await vmm.get("vmm.ping")).status).toBe(200);
    expect(performance.now() - began).toBeGreaterThanOrEqual(99);
  });
});

describe("moods of the whole", () => {
  test("dies at once, with words", async () => {
    await using vmm = new TestVmm({ start: { dies: { message: "no luck", code: 7 } } });
    expect(await vmm.end()).toMatchObject({ code: 7, stderr: "no luck\n" });
  });

  test("never opens its socket", async () => {
    await using vmm = new TestVmm({ start: { noSocket: true } });
    // When it takes orders, it has come as far as ever it will.
    while ((await vmm.program.calls(vmm.pid).catch(() => null)) === null);
    expect(existsSync(vmm.socket)).toBe(false);
  });

  test("prints nonsense for a version, with a code", async () => {
    await using vmm = new TestVmm({ versionOutput: { text: "QEMU?\n", code: 3 } }, ["--version"]);
    expect(await vmm.end()).toMatchObject({ code: 3, stdout: "QEMU?\n" });
  });

  test("leaves its sockets", async () => {
    await using vmm = await TestVmm.ready({ leaveSockets: true });
    await vmm.boot({ ...MINIMAL, vsock: { cid: 3, socket: "v.sock" } });
    expect((await vmm.end("SIGTERM")).code).toBe(0);
    expect(existsSync(vmm.socket) && existsSync(vmm.directory.join("v.sock"))).toBe(true);
  });

  test("does not hear signals", async () => {
    await using vmm = await TestVmm.ready({ ignoreSignals: true });
    vmm.child.kill("SIGTERM");
    expect((await vmm.get("vmm.ping")).status).toBe(200);
  });

  test("a guest that resets by itself, as soon as it has booted", async () => {
    await using vmm = await TestVmm.ready({ guestDoes: "reset" });
    await vmm.boot();
    await vmm.until(() => vmm.story().includes("vm/rebooted"));
  });

  test("a file in the working directory is heard where the environment is cleared, and counts for more", async () => {
    const file = (at: string) => writeFileSync(`${at}/fake-ch.json`, JSON.stringify({ version: "v60.1" }));
    await using vmm = await TestVmm.ready({ version: "v55.0" }, undefined, file);
    expect(JSON.parse((await vmm.get("vmm.ping")).text)).toMatchObject({ build_version: "v60.1", version: "60.1.0" });
  });

  test("what was started, and with what, is written down; a proper end takes the door for orders away", async () => {
    await using vmm = await TestVmm.ready();
    expect(vmm.program.running()).toEqual([vmm.pid]);
    expect(vmm.program.starts()).toEqual([
      {
        pid: vmm.pid,
        cwd: vmm.directory.path,
        argv: ["--api-socket", "path=api.sock", "--event-monitor", "path=events"],
      },
    ]);
    await vmm.end("SIGTERM");
    expect(vmm.program.running()).toEqual([]);
    expect(readFileSync(`${vmm.program.directory}/violations`, "utf8")).toBe("");
  });
});
