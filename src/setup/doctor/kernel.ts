import { existsSync, readFileSync } from "node:fs";
import { run } from "../../host/run.ts";
import { type Check, fine, finding, isRoot, wantsSlots } from "./check.ts";

/** What a slot is made of. Tried in namespaces that end with the shell, so nothing of it touches the host's own network. */
const PARTS = {
  bridge: "ip link add name hb0 type bridge",
  veth: "ip link add name hv0 type veth peer name hv1",
  "isolated bridge ports": "ip link set hv0 master hb0 && bridge link set dev hv0 isolated on",
  tap: "ip tuntap add ht0 mode tap",
  "nftables with NAT":
    "nft 'table inet t { chain c { type nat hook postrouting priority 100; masquerade; }; set s { type ipv4_addr; flags dynamic, timeout; }; }'",
  "nftables by connection":
    "nft 'table inet u { chain c { type filter hook forward priority 0; ct state established accept; reject; }; }'",
};

export const kernel: Check = {
  id: "kernel",
  async run({ config }) {
    const why = "Slots are made of these parts of the kernel; Landlock confines a VMM to its own files";
    const release = readFileSync("/proc/sys/kernel/osrelease", "utf8").trim();
    const landlock = securityModules().includes("landlock");
    const slots = wantsSlots(config);
    const missing = slots ? await missingParts() : [];
    if (missing === null)
      return finding(
        "note",
        `Linux ${release}; its network parts cannot be tried without root and the programs of check network`,
        why,
        "Run `sudo hype doctor`",
      );
    if (missing.length > 0)
      return finding(
        "fail",
        `Linux ${release} lacks: ${missing.join(", ")}`,
        why,
        "Use a kernel with these parts (every distribution's own has them), or set OVERHYPED_NETWORK=user",
      );
    const seen = `Linux ${release}${slots ? ", every part of the slot network" : ""}`;
    if (landlock) return fine(`${seen}, Landlock`, why);
    return finding(
      "note",
      `${seen}; no Landlock`,
      why,
      "Boot with `lsm=landlock,…` (kernel 5.13 or newer): Cloud Hypervisor then confines itself to its files",
    );
  },
};

/** @returns null where it cannot be tried */
async function missingParts(): Promise<string[] | null> {
  if (!isRoot() || ["unshare", "ip", "bridge", "nft", "sh"].some((program) => !Bun.which(program))) return null;
  const script = Object.entries(PARTS).map(([part, command]) => `( ${command} ) >/dev/null 2>&1 || echo "${part}"`);
  const { code, stdout } = await run(["unshare", "--net", "--mount", "sh", "-c", script.join("\n")], {
    timeoutMs: 20_000,
  });
  return code === 0 || stdout !== "" ? stdout.split("\n").filter(Boolean) : ["network namespaces"];
}

/** Names of the active security modules (Documentation/admin-guide/LSM). */
function securityModules(): string[] {
  try {
    return readFileSync("/sys/kernel/security/lsm", "utf8").trim().split(",");
  } catch {
    return [];
  }
}

/** Without root, passt and image builds live in user namespaces (user_namespaces(7)). */
export const userNamespaces: Check = {
  id: "user-namespaces",
  async run() {
    const why = "Without root, images are built and passt is confined in user namespaces";
    if (isRoot()) return fine("not needed by root", why);
    const number = (path: string) => (existsSync(path) ? Number(readFileSync(path, "utf8")) : null);
    const remedy =
      "sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000 kernel.apparmor_restrict_unprivileged_userns=0";
    if (
      number("/proc/sys/kernel/unprivileged_userns_clone") === 0 ||
      number("/proc/sys/user/max_user_namespaces") === 0
    )
      return finding("warn", "user namespaces are switched off for users", why, remedy);
    if (number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") === 1)
      return finding("warn", "AppArmor restricts user namespaces of users", why, remedy);
    return fine("allowed", why);
  },
};
