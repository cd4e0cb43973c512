import { expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { HypeError } from "../../../src/contract/index.ts";
import { bootId } from "../../../src/host/process.ts";
import { type ChooseOptions, openDriver } from "../../../src/hypervisor/choose.ts";
import { probeKvmByCloudHypervisor } from "../../../src/hypervisor/cloud-hypervisor/probe.ts";
import { kvmVerdictFile } from "../../../src/hypervisor/kvm-verdict.ts";
import { silentLog } from "../../../src/log/log.ts";
import { temporaryDirectory } from "../../lib/temporary.ts";

type Host = {
  hypervisor?: "auto" | "qemu" | "cloud-hypervisor";
  accelerator?: "auto" | "kvm" | "tcg";
  networkMode?: "slot" | "user";
  /** What `--version` of Cloud Hypervisor prints; null: it is not installed. */
  version?: string | null;
  qemu?: boolean;
  /** What the probe of KVM is known to have said; null: there is no image to probe with. */
  kvm?: boolean | null;
};

/** A host as described, made of programs that tell their version and a verdict on KVM that is already known. */
function host(directory: ReturnType<typeof temporaryDirectory>, about: Host): ChooseOptions {
  const {
    hypervisor = "auto",
    accelerator = "auto",
    networkMode = "slot",
    version = "v53.0",
    qemu = true,
    kvm = true,
  } = about;
  const script = (name: string, prints: string): string => {
    writeFileSync(directory.join(name), `#!/bin/sh\necho '${prints}'\n`);
    chmodSync(directory.join(name), 0o755);
    return directory.join(name);
  };
  const programs = {
    qemu: qemu ? script("qemu", "QEMU emulator version 9.1.0") : directory.join("no-qemu"),
    cloudHypervisor: version === null ? directory.join("no-ch") : script("ch", `cloud-hypervisor ${version}`),
  };
  if (kvm !== null) {
    const verdict = { works: kvm, reason: kvm ? "KVM booted a probe guest" : "a stock kernel did not boot" };
    const program = qemu ? programs.qemu : programs.cloudHypervisor;
    writeFileSync(kvmVerdictFile(directory.path), JSON.stringify({ boot_id: bootId(), program, ...verdict }));
  }
  const config = { home: directory.path, hypervisor, accelerator, ...programs };
  return { config, log: silentLog, kernel: kvm === null ? null : "/boot/k", networkMode };
}

test.each<[name: string, about: Host, chosen: [string, string], reason: string]>([
  ["all is there", {}, ["cloud-hypervisor", "kvm"], "Cloud Hypervisor is installed and KVM booted a probe guest"],
  ["a newer one", { version: "v54.0" }, ["cloud-hypervisor", "kvm"], "KVM booted"],
  ["no QEMU", { qemu: false }, ["cloud-hypervisor", "kvm"], "KVM booted"],
  ["KVM taken on trust", { accelerator: "kvm", kvm: null }, ["cloud-hypervisor", "kvm"], "OVERHYPED_ACCELERATOR=kvm"],
  [
    "it is not installed",
    { version: null },
    ["qemu", "kvm"],
    "KVM booted a probe guest; Cloud Hypervisor is not installed",
  ],
  ["it is too old", { version: "v52.0" }, ["qemu", "kvm"], "v52.0 is too old"],
  ["it is something else", { version: "of my own" }, ["qemu", "kvm"], "is not Cloud Hypervisor"],
  ["no slots", { networkMode: "user" }, ["qemu", "kvm"], "passt"],
  ["KVM does not run guests", { kvm: false }, ["qemu", "tcg"], "a stock kernel did not boot"],
  ["there is no image yet", { kvm: null }, ["qemu", "tcg"], "before there is an image"],
  ["emulation is asked for", { accelerator: "tcg" }, ["qemu", "tcg"], "OVERHYPED_ACCELERATOR=tcg"],
  ["QEMU is asked for", { hypervisor: "qemu" }, ["qemu", "kvm"], "KVM booted a probe guest"],
  [
    "it is asked for",
    { hypervisor: "cloud-hypervisor", kvm: null, qemu: false },
    ["cloud-hypervisor", "kvm"],
    "OVERHYPED_HYPERVISOR=cloud-hypervisor",
  ],
])("where %s", async (_name, about, chosen, reason) => {
  using directory = temporaryDirectory();
  const driver = await openDriver(host(directory, about));
  expect([driver.name, driver.accelerator]).toEqual(chosen as never);
  expect(driver.reason).toContain(reason);
  expect(driver.reason).not.toContain("undefined");
});

test.each<[name: string, about: Host, code: string, words: string]>([
  ["it is not there", { version: null }, "tool_missing", "no-ch"],
  ["it is too old", { version: "v40.0" }, "hypervisor_unavailable", "v53.0 or newer"],
  ["it prints nonsense", { version: "nonsense" }, "hypervisor_unavailable", "is not Cloud Hypervisor"],
  ["the network is passt's", { networkMode: "user" }, "hypervisor_unavailable", "hype setup"],
  ["emulation is asked for too", { accelerator: "tcg" }, "hypervisor_unavailable", "OVERHYPED_ACCELERATOR=auto"],
])("asked for, it is refused with the remedy where %s", async (_name, about, code, words) => {
  using directory = temporaryDirectory();
  const thrown = await openDriver(host(directory, { ...about, hypervisor: "cloud-hypervisor" })).catch(
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(HypeError);
  expect(thrown).toMatchObject({ code, message: expect.stringContaining(words) });
});

/** A program in Cloud Hypervisor's place that writes down how it was called. */
function probed(directory: ReturnType<typeof temporaryDirectory>, script: string): string {
  writeFileSync(directory.join("ch"), `#!/bin/sh\necho "$@" >> ${directory.join("runs")}\n${script}\n`);
  chmodSync(directory.join("ch"), 0o755);
  return directory.join("ch");
}

test.if(existsSync("/dev/kvm"))(
  "KVM is probed with Cloud Hypervisor, which is ended at the first panic; the verdict is kept",
  async () => {
    using directory = temporaryDirectory();
    const program = probed(directory, "echo '[ 1.0] Kernel panic - not syncing: VFS'; exec sleep 60");
    const verdict = await probeKvmByCloudHypervisor(program, "/boot/k", directory.join("verdict"));
    expect(verdict).toEqual({ works: true, reason: "KVM booted a probe guest" });
    expect(await probeKvmByCloudHypervisor(program, "/boot/k", directory.join("verdict"))).toEqual(verdict);
    expect(readFileSync(directory.join("runs"), "utf8")).toBe(
      "--kernel /boot/k --cmdline console=ttyS0 panic=-1 --cpus boot=1 --memory size=256M --serial tty --console off\n",
    );
  },
);

test.if(existsSync("/dev/kvm"))(
  "a Cloud Hypervisor that cannot use KVM proves it is of no use, in its own words",
  async () => {
    using directory = temporaryDirectory();
    const program = probed(directory, "echo 'Error: cannot open /dev/kvm' >&2; exit 1");
    const verdict = await probeKvmByCloudHypervisor(program, "/boot/k", directory.join("verdict"));
    expect(verdict).toEqual({ works: false, reason: expect.stringContaining("cannot open /dev/kvm") as never });
  },
);

test.if(existsSync("/dev/kvm"))("a probe that is broken off says nothing and is not kept", async () => {
  using directory = temporaryDirectory();
  const stop = new AbortController();
  const program = probed(directory, "exec sleep 60");
  const probing = probeKvmByCloudHypervisor(program, "/boot/k", directory.join("verdict"), stop.signal).catch(
    () => "broken off",
  );
  while (!existsSync(directory.join("runs"))) await new Promise(setImmediate);
  stop.abort();
  expect(await probing).toBe("broken off" as never);
  expect(existsSync(directory.join("verdict"))).toBe(false);
});
