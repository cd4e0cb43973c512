import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What befalls one call. Several may be set; they are tried in this order. */
export type Trouble = {
  /** Wait this long before anything else: a slow ping. */
  delayMs?: number;
  /** Hold the call, and with it everything behind it, until POST /release/CALL. */
  stall?: boolean;
  /** End at once: a signal's name, or an exit code (a panic of the VMM thread is 1). */
  crash?: NodeJS.Signals | number;
  /** A violation of the seccomp filter: one line on stderr, then death by SIGSYS. */
  seccomp?: boolean;
  /** Refuse with this chain of errors. */
  refuse?: { status?: number; chain: string[] };
  /** Close the connection without an answer; the call is not carried out. */
  drop?: boolean;
  /** Carry the call out, send half of the answer, close the connection. */
  halfWrite?: boolean;
  /** Carry the call out, then die by SIGKILL before answering. */
  crashAfter?: boolean;
};

export type Moods = {
  /** As `git describe` says it: v53.0, v40.0, v54.0, v53.0-246-gae44c2971. */
  version: string;
  /** What `--version` does instead of telling the version. */
  versionOutput?: { text: string; code: number };
  /** qemu: the guest is booted by emulation. stub: nothing is, or `guestCommand` stands for the guest. */
  guest: "qemu" | "stub";
  /** Program that stands for the guest (stub): its exit 0 is a power-off, any other end a vCPU error, SIGTERM the power button. */
  guestCommand?: string[];
  /** QEMU's program. */
  qemu: string;
  start: {
    /** Never open the API socket. */
    noSocket?: boolean;
    dies?: { message: string; code: number };
  };
  /** By call: "vm.boot": { refuse: … }. */
  calls: Record<string, Trouble>;
  /** What the guest does by itself as soon as it has booted. */
  guestDoes?: GuestDeed;
  /** Sockets stay behind at the end, as after SIGKILL. */
  leaveSockets?: boolean;
  /** SIGTERM and SIGINT do nothing. */
  ignoreSignals?: boolean;
  /** Version of the Landlock ABI to find on this host; by default the kernel is asked. */
  landlockAbi?: number;
};

export type GuestDeed = "power-off" | "reset" | "panic" | "die";

const DEFAULTS: Moods = { version: "v53.0", guest: "qemu", qemu: "qemu-system-x86_64", start: {}, calls: {} };

/** Where the fake keeps what is not Cloud Hypervisor's; null without a wrapper. */
export const ownDirectory = (): string | null => process.env.FAKE_CH_DIR ?? null;

export function loadMoods(): Moods {
  const directory = ownDirectory();
  const { FAKE_CH_MOODS, FAKE_CH_VERSION, FAKE_CH_GUEST, FAKE_CH_QEMU, FAKE_CH_START } = process.env;
  return {
    ...DEFAULTS,
    ...(directory ? fromFile(join(directory, "fake-ch.json")) : {}),
    ...fromFile("fake-ch.json"),
    ...(FAKE_CH_MOODS ? (JSON.parse(FAKE_CH_MOODS) as Partial<Moods>) : {}),
    ...(FAKE_CH_VERSION ? { version: FAKE_CH_VERSION } : {}),
    ...(FAKE_CH_GUEST ? { guest: FAKE_CH_GUEST as Moods["guest"] } : {}),
    ...(FAKE_CH_QEMU ? { qemu: FAKE_CH_QEMU } : {}),
    ...(FAKE_CH_START ? { start: JSON.parse(FAKE_CH_START) as Moods["start"] } : {}),
  };
}

function fromFile(path: string): Partial<Moods> {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Partial<Moods>;
  } catch (thrown) {
    if ((thrown as { code?: string }).code === "ENOENT") return {};
    throw thrown;
  }
}

/**
 * `v53.0` -> `53.0.0`: what vmm.ping calls `version`. A build from between two releases (`v53.0-246-gae44c2971`) calls itself by
 * the coming one.
 */
export function semverOf(version: string): string {
  const [, major = "0", minor = "0", patch = "0", between] =
    /^v?(\d+)\.(\d+)(?:\.(\d+))?(-\d+-g[0-9a-f]+)?/.exec(version) ?? [];
  return between ? `${Number(major) + 1}.0.0` : `${major}.${minor}.${patch}`;
}

export const majorOf = (version: string): number => Number(semverOf(version).split(".")[0]);
