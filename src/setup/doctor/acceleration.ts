import { accessSync, constants, existsSync } from "node:fs";
import { messageOf } from "../../contract/errors.ts";
import type { Check } from "./check.ts";

const DEVICE = "/dev/kvm";

/** What keeps this user from /dev/kvm, or null. */
function obstacle(): string | null {
  if (!existsSync(DEVICE)) return `${DEVICE} is not there`;
  try {
    accessSync(DEVICE, constants.R_OK | constants.W_OK);
    return null;
  } catch {
    return `${DEVICE} cannot be opened by uid ${process.getuid?.()}`;
  }
}

/** Having the device is not enough: the driver says whether a guest really booted with it. */
export const acceleration: Check = {
  id: "acceleration",
  async run({ driver }) {
    const why =
      "With hardware virtualisation VMs boot and run several times faster; without it everything works, slower";
    const closed = obstacle();
    const remedy = closed?.includes("cannot be opened")
      ? "Add the user to the group kvm (usermod -aG kvm USER) and log in again"
      : "Enable virtualisation in the firmware, or nested virtualisation where this machine is itself a VM";
    try {
      const { accelerator, reason } = await driver();
      if (accelerator === "kvm") return { status: "ok", seen: `KVM: ${reason}`, why, remedy: null };
      return { status: "note", seen: closed ? `software emulation: ${closed}` : reason, why, remedy };
    } catch (thrown) {
      return { status: "fail", seen: messageOf(thrown), why: "Without a hypervisor no VM starts", remedy };
    }
  },
};
