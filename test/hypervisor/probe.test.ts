import { expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { HypeError } from "../../src/contract/index.ts";
import { openDriver } from "../../src/hypervisor/choose.ts";
import { probeKvm, qemuVersion } from "../../src/hypervisor/qemu/probe.ts";
import { silentLog } from "../../src/log/log.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

/** A program that stands where QEMU would. */
function fakeProgram(path: string, script: string): string {
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const failure = async (promise: Promise<unknown>): Promise<HypeError> =>
  (await promise.catch((thrown: unknown) => thrown)) as HypeError;
const VERSION = "echo 'QEMU emulator version 9.1.0 (fake)'";
const hasKvm = existsSync("/dev/kvm");

test.each([
  ["is not QEMU", "echo hello", "hypervisor_unavailable", "is not QEMU"],
  ["is too old", "echo 'QEMU emulator version 6.2.0'", "hypervisor_unavailable", "too old"],
  ["fails", "exit 3", "hypervisor_unavailable", "is not QEMU"],
])("a program that %s is refused", async (_name, script, code, words) => {
  using directory = temporaryDirectory();
  const error = await failure(qemuVersion(fakeProgram(directory.join("qemu"), script)));
  expect(error.code).toBe(code as never);
  expect(error.message).toContain(words);
});

test("a missing program is named", async () => {
  const error = await failure(qemuVersion("no-such-qemu"));
  expect(error.code).toBe("tool_missing");
  expect(error.message).toContain("no-such-qemu");
});

test("the version is read", async () => {
  using directory = temporaryDirectory();
  expect(await qemuVersion(fakeProgram(directory.join("qemu"), VERSION))).toBe("9.1.0");
});

test.if(hasKvm)("a kernel that reaches its end of boot proves KVM, and the verdict is kept", async () => {
  using directory = temporaryDirectory();
  const program = fakeProgram(
    directory.join("qemu"),
    `echo run >> ${directory.join("runs")}; echo 'Kernel panic - not syncing: VFS'`,
  );
  const verdict = await probeKvm(program, "/boot/k", directory.join("verdict"));
  expect(verdict.works).toBe(true);
  expect(await probeKvm(program, "/boot/k", directory.join("verdict"))).toEqual(verdict);
  expect(readFileSync(directory.join("runs"), "utf8")).toBe("run\n");
});

test.if(hasKvm)("a program that cannot use KVM proves it is of no use, in its own words", async () => {
  using directory = temporaryDirectory();
  const program = fakeProgram(directory.join("qemu"), "echo 'failed to initialize kvm: Permission denied' >&2; exit 1");
  const verdict = await probeKvm(program, "/boot/k", directory.join("verdict"));
  expect(verdict.works).toBe(false);
  expect(verdict.reason).toContain("Permission denied");
});

test("a verdict of another boot of the host is not believed", async () => {
  using directory = temporaryDirectory();
  const file = directory.join("verdict");
  writeFileSync(
    file,
    JSON.stringify({ boot_id: "another", program: directory.join("qemu"), works: true, reason: "kept" }),
  );
  const verdict = await probeKvm(fakeProgram(directory.join("qemu"), "exit 1"), "/boot/k", file);
  expect(verdict).not.toEqual({ works: true, reason: "kept" });
});

test.if(hasKvm)("a probe that is broken off says nothing and is not kept", async () => {
  using directory = temporaryDirectory();
  const program = fakeProgram(directory.join("qemu"), "echo up > /dev/null; exec sleep 60");
  const stop = new AbortController();
  const probing = failure(probeKvm(program, "/boot/k", directory.join("verdict"), stop.signal));
  stop.abort();
  await probing;
  expect(existsSync(directory.join("verdict"))).toBe(false);
});

test("the choice says why", async () => {
  using directory = temporaryDirectory();
  const qemu = fakeProgram(directory.join("qemu"), VERSION);
  const cloudHypervisor = directory.join("no-such-program");
  const config = { home: directory.path, hypervisor: "auto", accelerator: "auto", qemu, cloudHypervisor } as const;
  const host = { log: silentLog, kernel: null, networkMode: "user" } as const;
  const unprobed = await openDriver({ ...host, config });
  expect([unprobed.name, unprobed.accelerator]).toEqual(["qemu", "tcg"]);
  expect(unprobed.reason).toContain("before there is an image");
  const forced = await openDriver({ ...host, config: { ...config, accelerator: "kvm" } });
  expect(forced.reason).toContain("OVERHYPED_ACCELERATOR");
});
