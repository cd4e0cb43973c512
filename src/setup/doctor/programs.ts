import { messageOf } from "../../contract/errors.ts";
import { run } from "../../host/run.ts";
import { MINIMUM_MAJOR } from "../../hypervisor/cloud-hypervisor/facts.ts";
import { cloudHypervisorVersion } from "../../hypervisor/cloud-hypervisor/version.ts";
import { type Check, fine, finding, type Finding, wantsSlots } from "./check.ts";

/** First line of `program --version`; null when the program is not there. */
async function versionOf(program: string, flag = "--version"): Promise<string | null> {
  if (!Bun.which(program)) return null;
  const { stdout, stderr } = await run([program, flag], { timeoutMs: 10_000 });
  return (stdout.trim() || stderr.trim()).split("\n")[0] ?? "";
}

export const qemu: Check = {
  id: "hypervisor",
  async run({ config }) {
    const why = "QEMU runs the VMs";
    const version = await versionOf(config.qemu);
    if (version === null)
      return {
        status: config.hypervisor === "cloud-hypervisor" ? "note" : "fail",
        seen: `${config.qemu} is not installed or not in PATH`,
        why,
        remedy: "apt-get install qemu-system-x86, or name the program in OVERHYPED_QEMU",
      };
    return { status: "ok", seen: version, why, remedy: null };
  },
};

const SLOT_PROGRAMS = [
  { program: "ip", package: "iproute2", flag: "-V" },
  { program: "nft", package: "nftables", flag: "--version" },
  { program: "nsenter", package: "util-linux", flag: "--version" },
];

async function slotPrograms(): Promise<Omit<Finding, "id">> {
  const why = "The slot network is built with these programs";
  const missing = SLOT_PROGRAMS.filter(({ program }) => !Bun.which(program));
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((tool) => tool.package))].join(" ");
    return finding(
      "fail",
      `missing: ${missing.map(({ program }) => program).join(", ")}`,
      why,
      `apt-get install ${packages}`,
    );
  }
  const versions = await Promise.all(SLOT_PROGRAMS.map(({ program, flag }) => versionOf(program, flag)));
  return fine(versions.join(", "), why);
}

/** Cloud Hypervisor is the better choice where it can work, and needed by nobody. */
export const cloudHypervisor: Check = {
  id: "cloud-hypervisor",
  async run({ config }) {
    const why = "Cloud Hypervisor starts VMs faster and confines itself further than QEMU; it needs KVM and slots";
    const wanted = config.hypervisor === "cloud-hypervisor";
    const program = config.cloudHypervisor;
    if (config.hypervisor === "qemu") return fine("not used: OVERHYPED_HYPERVISOR=qemu", why);
    const remedy = `Install v${MINIMUM_MAJOR} or newer from github.com/cloud-hypervisor/cloud-hypervisor/releases, or set OVERHYPED_HYPERVISOR=qemu`;
    if (!Bun.which(program))
      return finding(wanted ? "fail" : "note", `${program} is not installed or not in PATH`, why, remedy);
    try {
      return fine(`${program} ${await cloudHypervisorVersion(program)}`, why);
    } catch (thrown) {
      return finding(wanted ? "fail" : "warn", messageOf(thrown), why, remedy);
    }
  },
};

export const network: Check = {
  id: "network",
  async run({ config }) {
    if (wantsSlots(config)) return await slotPrograms();
    const why = "passt gives each VM its network without root, and keeps the host's loopback closed to it";
    const version = await versionOf(config.passt);
    if (version === null)
      return {
        status: "fail",
        seen: `${config.passt} is not installed or not in PATH`,
        why,
        remedy: "apt-get install passt, or name the program in OVERHYPED_PASST",
      };
    return { status: "ok", seen: version, why, remedy: null };
  },
};

/** Any one of these makes a root tree. */
const TREE_MAKERS = ["mmdebstrap", "docker", "podman", "buildah"];
/** Needed besides; a user who is not root builds inside a user namespace. */
const alwaysNeeded = () => [
  { program: "mkfs.erofs", package: "erofs-utils" },
  { program: "mksquashfs", package: "squashfs-tools" },
  { program: "tar", package: "tar" },
  { program: "unshare", package: "util-linux" },
  ...(process.getuid?.() === 0 ? [] : [{ program: "newuidmap", package: "uidmap" }]),
];

export const buildTools: Check = {
  id: "image-tools",
  async run(around) {
    const why = "`hype image build` needs them; images that are there already do not";
    const makers = TREE_MAKERS.filter((program) => Bun.which(program));
    const needed = alwaysNeeded();
    const missing = needed.filter(({ program }) => !Bun.which(program));
    if (makers.length === 0) missing.unshift({ program: TREE_MAKERS.join(" or "), package: "mmdebstrap" });
    if (missing.length === 0) {
      const found = [...makers, ...needed.map(({ program }) => program)];
      return { status: "ok", seen: found.join(", "), why, remedy: null };
    }
    const hasImage = await around.defaultImage().then(
      (image) => image !== null,
      () => false,
    );
    return {
      status: hasImage ? "warn" : "fail",
      seen: `missing: ${missing.map(({ program }) => program).join(", ")}`,
      why,
      remedy: `apt-get install ${missing.map((tool) => tool.package).join(" ")}`,
    };
  },
};
