import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../../config/load.ts";
import { messageOf } from "../../contract/index.ts";
import { bootId } from "../../host/process.ts";
import { run, tail } from "../../host/run.ts";
import type { Log } from "../../log/log.ts";
import { kvmVerdictFile } from "../kvm-verdict.ts";
import { Cgroups } from "./cgroups.ts";
import { HostJailer, type Means, type Unavailable } from "./host-jailer.ts";
import type { Jailer } from "./jail.ts";
import { NO_SETPRIV, NoJail } from "./no-jail.ts";
import { ownUser } from "./own-user.ts";

/** The jail this host and these settings give. What it cannot give is logged here and stands in the row of every VM. */
export async function openJailer(config: Config, log: Log): Promise<Jailer> {
  const required = config.jail === "required";
  if (config.jail === "off") return new NoJail("OVERHYPED_JAIL=off");
  if (process.getuid?.() !== 0) return new NoJail("the server does not run as root", required);
  const means = await findMeans(config);
  const gaps = Object.entries(means).flatMap(([what, found]) =>
    typeof found === "object" && "reason" in found ? [`${what}: ${found.reason}`] : [],
  );
  if (gaps.length > 0) log[required ? "error" : "warn"]("VMMs are not wholly jailed", { missing: gaps });
  return new HostJailer(means, config.imageDir, required);
}

/** What this host can give VMMs, each with the reason where it cannot. */
async function findMeans(config: Config): Promise<Means> {
  const cgroups = Cgroups.open(config.home);
  if (!Bun.which("setpriv")) {
    const gap = { reason: NO_SETPRIV };
    return {
      user: gap,
      cgroups,
      capabilities: gap,
      emptyNetwork: await works(["unshare", "--net", "true"]),
    };
  }
  const [user, capabilities, emptyNetwork] = await Promise.all([
    findUsers(config),
    works(["setpriv", "--no-new-privs", "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "true"]),
    works(["unshare", "--net", "true"]),
  ]);
  return { user, cgroups, capabilities, emptyNetwork };
}

/** The users this host can give VMMs, or why none. Changes nothing. */
export const findUsers = async (config: Config): Promise<Means["user"]> =>
  await ownUser({
    base: config.uidBase,
    count: 2 ** (32 - Number(config.subnet.split("/")[1])),
    kvm: await wantsKvm(config),
    tap: wantsTaps(config),
    files: [config.kernel, config.initramfs].filter((file) => file !== null),
    programs: programs(config),
  });

/** VMMs that can come to run, as far as they are installed. */
const programs = ({ hypervisor, qemu, cloudHypervisor }: Config): string[] =>
  [...(hypervisor === "cloud-hypervisor" ? [] : [qemu]), ...(hypervisor === "qemu" ? [] : [cloudHypervisor])]
    .map((program) => Bun.which(program))
    .filter((program) => program !== null);

/** The slot network is there where its bridge is. */
const wantsTaps = ({ network, bridge }: Config): boolean =>
  network === "slot" || (network === "auto" && existsSync(join("/sys/class/net", bridge)));

/** Where KVM is known not to work (by a probe since the host booted), a closed /dev/kvm keeps nobody from anything. */
async function wantsKvm(config: Config): Promise<boolean> {
  if (config.accelerator !== "auto") return config.accelerator === "kvm";
  const kept = (await Bun.file(kvmVerdictFile(config.home))
    .json()
    .catch(() => null)) as { boot_id?: string; works?: boolean } | null;
  return !(kept?.boot_id === bootId() && kept.works === false);
}

async function works(argv: [string, ...string[]]): Promise<true | Unavailable> {
  try {
    const { code, stderr } = await run(argv, { timeoutMs: 10_000 });
    return code === 0 || { reason: `${argv[0]} failed: ${tail(stderr, 2) || `exit ${code}`}` };
  } catch (thrown) {
    return { reason: messageOf(thrown) };
  }
}
