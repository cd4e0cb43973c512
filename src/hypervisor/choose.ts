import type { Config } from "../config/load.ts";
import { HypeError, messageOf } from "../contract/index.ts";
import type { Log } from "../log/log.ts";
import { NEEDS_SLOTS } from "./cloud-hypervisor/config.ts";
import { CloudHypervisorDriver } from "./cloud-hypervisor/driver.ts";
import { probeKvmByCloudHypervisor } from "./cloud-hypervisor/probe.ts";
import { cloudHypervisorVersion } from "./cloud-hypervisor/version.ts";
import type { HypervisorDriver } from "./driver.ts";
import { type KvmVerdict, kvmVerdictFile } from "./kvm-verdict.ts";
import { QemuDriver } from "./qemu/driver.ts";
import { probeKvm, qemuVersion } from "./qemu/probe.ts";

export type ChooseOptions = {
  config: Pick<Config, "home" | "hypervisor" | "accelerator" | "qemu" | "cloudHypervisor">;
  log: Log;
  /** Kernel to probe KVM with; null when there is no image yet. */
  kernel: string | null;
  /** The network that guests are plugged into: Cloud Hypervisor needs taps, which only the slots have. */
  networkMode: "slot" | "user";
  signal?: AbortSignal;
};

/**
 * Chooses hypervisor and accelerator for this host and says why: Cloud Hypervisor where it is installed and can work, else QEMU.
 * @throws HypeError hypervisor_unavailable | tool_missing when none can be used.
 */
export async function openDriver(options: ChooseOptions): Promise<HypervisorDriver> {
  const driver = await choose(options);
  const { name, version, accelerator, reason } = driver;
  options.log.info("hypervisor chosen", { hypervisor: name, version, accelerator, reason });
  return driver;
}

async function choose(options: ChooseOptions): Promise<HypervisorDriver> {
  const { config } = options;
  if (config.hypervisor === "cloud-hypervisor") return await forced(options);
  const obstacle = config.hypervisor === "qemu" ? null : await tryCloudHypervisor(options);
  if (obstacle !== null && typeof obstacle !== "string") return obstacle;
  const version = await qemuVersion(config.qemu);
  const { accelerator, reason } = await chooseAccelerator(options);
  return new QemuDriver(config.qemu, version, accelerator, obstacle === null ? reason : `${reason}; ${obstacle}`);
}

/** The operator's word stands for a probe of KVM; what it says does not work anyway is refused here and not at each VM. */
async function forced({ config, networkMode }: ChooseOptions): Promise<HypervisorDriver> {
  if (config.accelerator === "tcg")
    throw new HypeError(
      "hypervisor_unavailable",
      "Cloud Hypervisor knows no software emulation: set OVERHYPED_ACCELERATOR=auto, or OVERHYPED_HYPERVISOR=qemu",
    );
  if (networkMode !== "slot") throw new HypeError("hypervisor_unavailable", NEEDS_SLOTS);
  const version = await cloudHypervisorVersion(config.cloudHypervisor);
  return new CloudHypervisorDriver(config.cloudHypervisor, version, "OVERHYPED_HYPERVISOR=cloud-hypervisor");
}

/** @returns the driver, or in a few words why Cloud Hypervisor is not used. */
async function tryCloudHypervisor(options: ChooseOptions): Promise<HypervisorDriver | string> {
  const { config, networkMode, kernel } = options;
  const program = config.cloudHypervisor;
  if (!Bun.which(program)) return "Cloud Hypervisor is not installed";
  const unused = (why: string) => `Cloud Hypervisor is not used: ${why}`;
  if (config.accelerator === "tcg") return unused("OVERHYPED_ACCELERATOR=tcg");
  if (networkMode !== "slot") return unused("the network is passt's, not slots (`sudo hype setup`)");
  let version: string;
  try {
    version = await cloudHypervisorVersion(program);
  } catch (thrown) {
    return unused(messageOf(thrown));
  }
  if (config.accelerator === "auto" && kernel === null) return unused("KVM is not probed yet");
  const verdict = await kvmVerdict(options);
  if (!verdict.works) return unused(verdict.reason);
  return new CloudHypervisorDriver(program, version, `Cloud Hypervisor is installed and ${verdict.reason}`);
}

async function chooseAccelerator(options: ChooseOptions): Promise<{ accelerator: "kvm" | "tcg"; reason: string }> {
  const { accelerator } = options.config;
  if (accelerator === "tcg") return { accelerator, reason: "OVERHYPED_ACCELERATOR=tcg" };
  const { works, reason } = await kvmVerdict(options);
  return works ? { accelerator: "kvm", reason } : { accelerator: "tcg", reason: `software emulation: ${reason}` };
}

/** Probed with QEMU where it is installed, else with Cloud Hypervisor. */
async function kvmVerdict({ config, kernel, signal }: ChooseOptions): Promise<KvmVerdict> {
  if (config.accelerator === "kvm") return { works: true, reason: "OVERHYPED_ACCELERATOR=kvm" };
  if (!kernel) return { works: false, reason: "KVM cannot be probed before there is an image" };
  const file = kvmVerdictFile(config.home);
  return Bun.which(config.qemu)
    ? await probeKvm(config.qemu, kernel, file, signal)
    : await probeKvmByCloudHypervisor(config.cloudHypervisor, kernel, file, signal);
}
