import type { Config } from "../config/load.ts";
import { HypeError } from "../contract/index.ts";
import type { Log } from "../log/log.ts";
import type { HypervisorDriver } from "./driver.ts";
import { QemuDriver } from "./qemu/driver.ts";
import { kvmVerdictFile, probeKvm, qemuVersion } from "./qemu/probe.ts";

export type ChooseOptions = {
  config: Pick<Config, "home" | "hypervisor" | "accelerator" | "qemu">;
  log: Log;
  /** Kernel to probe KVM with; null when there is no image yet. */
  kernel: string | null;
  signal?: AbortSignal;
};

/**
 * Chooses hypervisor and accelerator for this host and says why.
 * @throws HypeError hypervisor_unavailable | tool_missing when none can be used.
 */
export async function openDriver({ config, log, kernel, signal }: ChooseOptions): Promise<HypervisorDriver> {
  if (config.hypervisor === "cloud-hypervisor")
    throw new HypeError(
      "hypervisor_unavailable",
      "the Cloud Hypervisor driver is not part of this version; set OVERHYPED_HYPERVISOR=qemu or auto",
    );
  const version = await qemuVersion(config.qemu);
  const { accelerator, reason } = await chooseAccelerator(config, kernel, signal);
  log.info("hypervisor chosen", { hypervisor: "qemu", version, accelerator, reason });
  return new QemuDriver(config.qemu, version, accelerator, reason);
}

async function chooseAccelerator(
  config: ChooseOptions["config"],
  kernel: string | null,
  signal?: AbortSignal,
): Promise<{ accelerator: "kvm" | "tcg"; reason: string }> {
  if (config.accelerator !== "auto")
    return { accelerator: config.accelerator, reason: `OVERHYPED_ACCELERATOR=${config.accelerator}` };
  if (!kernel)
    return { accelerator: "tcg", reason: "software emulation: KVM cannot be probed before there is an image" };
  const verdict = await probeKvm(config.qemu, kernel, kvmVerdictFile(config.home), signal);
  return verdict.works
    ? { accelerator: "kvm", reason: verdict.reason }
    : { accelerator: "tcg", reason: `software emulation: ${verdict.reason}` };
}
