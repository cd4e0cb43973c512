import { existsSync } from "node:fs";
import { cgroupMount, cgroupWords } from "../../host/cgroup.ts";
import { findUsers } from "../../hypervisor/jail/open.ts";
import { findGroup, findUser } from "../host/accounts.ts";
import { ACCOUNT } from "../plan.ts";
import { RECORD_FILE } from "../record.ts";
import { type Check, fine, finding, isRoot } from "./check.ts";

const CONTROLLERS = ["memory", "cpu", "pids"];

export const cgroups: Check = {
  id: "cgroups",
  async run({ config }) {
    const why = "A VM's cgroup bounds its memory, CPU and processes, and ends them all at once";
    const status = config.jail === "required" ? "fail" : "warn";
    const remedy = "Boot with systemd.unified_cgroup_hierarchy=1 (the default of Debian 11 and newer)";
    const mount = cgroupMount();
    if ("reason" in mount) return finding(status, mount.reason, why, remedy);
    const missing = CONTROLLERS.filter((name) => !cgroupWords(mount.path, "cgroup.controllers").includes(name));
    if (missing.length === 0) return fine(`v2 at ${mount.path}: ${CONTROLLERS.join(", ")}`, why);
    return finding(
      "warn",
      `v2 at ${mount.path} without ${missing.join(", ")}: VMs are ended as one and not bounded`,
      why,
      remedy,
    );
  },
};

export const jail: Check = {
  id: "jail",
  async run({ config }) {
    const why = "A VMM that its guest took over is a user of its own, without a right on this host";
    if (config.jail === "off") return finding("warn", "OVERHYPED_JAIL=off", why, "Remove it from the settings");
    const status = config.jail === "required" ? "fail" : "warn";
    if (!isRoot())
      return finding(
        "note",
        "without root VMMs run as your own user",
        why,
        "`sudo hype setup` makes a service whose VMMs have users of their own",
      );
    if (!Bun.which("setpriv"))
      return finding(status, "setpriv is not installed or not in PATH", why, "apt-get install util-linux");
    const found = await findUsers(config);
    if ("reason" in found)
      return finding(
        status,
        found.reason,
        why,
        "Mend what is named; OVERHYPED_JAIL=auto starts VMs with what there is",
      );
    return fine(`a user for each VM, from ${found.base} on`, why);
  },
};

/** What setup made is there and as it made it. */
export const setup: Check = {
  id: "setup",
  async run({ openChanges }) {
    const why = "`hype setup` makes this machine serve at every boot, with slots and jailed VMMs";
    if (!existsSync(RECORD_FILE))
      return finding("note", "`hype setup` never ran here", why, "`hype setup --dry-run` shows what it would do");
    if (!findUser(ACCOUNT) || !findGroup(ACCOUNT))
      return finding("warn", `the user or the group ${ACCOUNT} is gone`, why, "`sudo hype setup` makes it again");
    if (findGroup("kvm") && !findGroup("kvm")?.members.includes(ACCOUNT))
      return finding("warn", `the user ${ACCOUNT} is not in group kvm`, why, "`sudo hype setup` puts it there");
    const changes = await openChanges();
    if (changes === null)
      return finding("note", "only root may read the settings that setup follows", why, "Run `sudo hype doctor`");
    if (changes.length === 0) return fine("everything as `hype setup` made it", why);
    return finding("warn", `differs from what setup makes: ${changes.join("; ")}`, why, "`sudo hype setup` mends it");
  },
};
