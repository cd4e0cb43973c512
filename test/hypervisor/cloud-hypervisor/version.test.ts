import { expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { HypeError } from "../../../src/contract/index.ts";
import { landlockMissing } from "../../../src/hypervisor/cloud-hypervisor/landlock.ts";
import { cloudHypervisorVersion } from "../../../src/hypervisor/cloud-hypervisor/version.ts";
import { temporaryDirectory } from "../../lib/temporary.ts";

function program(path: string, script: string): string {
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}
const failure = async (promise: Promise<unknown>): Promise<HypeError> =>
  (await promise.catch((thrown: unknown) => thrown)) as HypeError;

test.each([
  ["echo cloud-hypervisor v53.0; echo 'Migration Protocol Versions: 0'", "v53.0"],
  ["echo cloud-hypervisor v53.0-246-gae44c2971", "v53.0-246-gae44c2971"],
  ["echo cloud-hypervisor v53.0.0", "v53.0.0"],
  ["echo cloud-hypervisor v54.0", "v54.0"],
  ["echo cloud-hypervisor v153.1-mine", "v153.1-mine"],
])("%s works", async (script, version) => {
  using directory = temporaryDirectory();
  expect(await cloudHypervisorVersion(program(directory.join("ch"), script))).toBe(version);
});

test.each([
  ["is too old", "echo cloud-hypervisor v40.0", "v40.0 is too old"],
  ["is one major too old", "echo cloud-hypervisor v52.1", "v53.0 or newer"],
  ["is another", "echo 'QEMU emulator version 9.1.0'", "is not Cloud Hypervisor"],
  ["prints nonsense", "head -c 5000 /dev/zero | tr '\\0' x", "is not Cloud Hypervisor"],
  ["says nothing", "exit 0", "is not Cloud Hypervisor"],
  ["fails although it looks right", "echo cloud-hypervisor v53.0; exit 3", "exit 3"],
  ["tells its version later on", "echo hello; echo cloud-hypervisor v53.0", "is not Cloud Hypervisor"],
])("a program that %s is refused", async (_name, script, words) => {
  using directory = temporaryDirectory();
  const error = await failure(cloudHypervisorVersion(program(directory.join("ch"), script)));
  expect(error.code).toBe("hypervisor_unavailable");
  expect(error.message).toContain(words);
  expect(error.message.length).toBeLessThan(1000);
});

test("a missing program is named", async () => {
  const error = await failure(cloudHypervisorVersion("no-such-cloud-hypervisor"));
  expect(error.code).toBe("tool_missing");
  expect(error.message).toContain("no-such-cloud-hypervisor");
});

test.each([
  ["capability,landlock,yama", "6.2.0", null],
  ["landlock", "7.0.0-rc1", null],
  ["capability,landlock", "6.1.0-18-amd64", "6.2 or newer"],
  ["capability,yama", "6.12.3", "not switched on"],
  ["capability,landlocked", "6.12.3", "not switched on"],
])("modules %s on Linux %s: Landlock is missing because %p", (modules, kernel, reason) => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("lsm"), `${modules}\n`);
  const missing = landlockMissing(directory.join("lsm"), kernel);
  if (reason === null) expect(missing).toBeNull();
  else expect(missing).toContain(reason);
});

test("a kernel that does not say has none", () => {
  expect(landlockMissing("/no/such/file", "6.12.0")).toContain("does not say");
});
