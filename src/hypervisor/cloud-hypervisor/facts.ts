import * as v from "valibot";
import { VM_RUN_FILES } from "../../config/paths.ts";

/**
 * Everything this driver takes for granted about Cloud Hypervisor, in one place: where a real program differs, it is mended here.
 * Read from its sources at v53.0 and after (docs/cloud-hypervisor.md says which of it no real program has confirmed yet).
 */

/** First line of `cloud-hypervisor --version`: `git describe`, e.g. `cloud-hypervisor v53.0` or `cloud-hypervisor v53.0-246-gae44c2971`. */
export const VERSION_LINE = /^cloud-hypervisor (v(\d+)\.(\d+)\S*)/;

/** Since v53: `--no-shutdown`, SMBIOS names, 404 for what is not there, removal of a stale API socket; and fixes of guest escapes before it. */
export const MINIMUM_MAJOR = 53;
export const UPGRADE_REMEDY =
  `install v${MINIMUM_MAJOR}.0 or newer from https://github.com/cloud-hypervisor/cloud-hypervisor/releases, ` +
  "or set OVERHYPED_HYPERVISOR=qemu";

/** Names in the VMM's working directory. The program locks `<socket>.lock` while it lives and leaves that file behind. */
export const WORK_FILES = { api: VM_RUN_FILES.api, lock: `${VM_RUN_FILES.api}.lock`, events: "events" } as const;

/** Descriptor of the event file: opened for appending before the program starts, so that it may be cut short under it. */
export const EVENT_FD = 3;

/**
 * `--no-shutdown`: after a power-off by the guest the process stays and `vm.info` says `Created`. Without it the process exits 0, as
 * it also does on SIGTERM and when a vCPU fails: the guest's own power-off could not be told from those.
 * No `-v`: at that level the log holds every request, the guest's token among them.
 */
export const PROGRAM_ARGUMENTS = [
  ...["--api-socket", `path=${WORK_FILES.api}`],
  ...["--event-monitor", `fd=${EVENT_FD}`],
  ...["--seccomp", "true"],
  "--no-shutdown",
] as const;

/**
 * No file that the VMM writes may pass this size, whether a server watches or not. The guest's RAM is anonymous memory, which RLIMIT_FSIZE
 * does not count (it counts a memfd, setrlimit(2)).
 */
export const FILE_LIMIT_BYTES = 64 * 1_048_576;

/** Calls of its HTTP API. Those without `body` must carry none, else it answers 400. */
export const CALLS = {
  ping: { method: "GET", path: "vmm.ping" },
  info: { method: "GET", path: "vm.info" },
  counters: { method: "GET", path: "vm.counters" },
  create: { method: "PUT", path: "vm.create" },
  boot: { method: "PUT", path: "vm.boot" },
  pause: { method: "PUT", path: "vm.pause" },
  resume: { method: "PUT", path: "vm.resume" },
  powerButton: { method: "PUT", path: "vm.power-button" },
  end: { method: "PUT", path: "vmm.shutdown" },
} as const;
export type Call = keyof typeof CALLS;

export const API_BASE = "http://localhost/api/v1/";
/** Bodies of requests: 51,200 bytes up to v53, 4 MiB after. */
export const BODY_LIMIT_BYTES = 51_200;

/** Errors are an array of strings from the top to the root cause; malformed HTTP gets text. */
export const ErrorChain = v.array(v.string());

/** `version` is plain semver; `features` are those compiled in (since v36). */
export const Ping = v.object({ version: v.string(), features: v.optional(v.array(v.string())) });
/** Created (also after the guest's power-off), Running, Paused; the others are practically never seen. */
export const Info = v.object({ state: v.picklist(["Created", "Running", "Paused", "Shutdown", "BreakPoint"]) });
/** Per device id. Unset latencies are 2^64-1, beyond what a number holds exactly. */
export const Counters = v.record(v.string(), v.record(v.string(), v.number()));
export type Counters = v.InferOutput<typeof Counters>;

/** One object of the event file: pretty-printed over several lines, ended by an empty one. */
export const ChEvent = v.object({
  source: v.string(),
  event: v.string(),
  properties: v.optional(v.nullable(v.record(v.string(), v.string()))),
});
export type ChEvent = v.InferOutput<typeof ChEvent>;
export const EVENT_END = "\n\n";

/** What an event means for us; all others are of no interest. A reset is an endless silent reboot in the same process: there is no switch against it. */
export function meaningOf({ source, event }: ChEvent): "reset" | "panic" | "off" | null {
  switch (`${source}/${event}`) {
    case "vm/rebooting":
    case "vm/rebooted":
      return "reset";
    case "guest/panic": // by pvpanic: the kernel panicked, or hands over to a crash kernel
      return "panic";
    case "vm/shutdown":
      return "off";
    default:
      return null;
  }
}

/** Stands in the log when a vCPU could not go on, which ends the VM as a power-off does. */
export const VCPU_FAILED = "VCPU generated error";

/** `image_type`, console modes and access words are CamelCase and case-sensitive, as below. */
export const ROOT_ID = "root";
export const NIC_ID = "net0";

/** What it reads of a tap that exists; Landlock has to allow it, and a network namespace needs a /sys of its own for it. */
export const tapDirectory = (tap: string): string => `/sys/devices/virtual/net/${tap}`;
