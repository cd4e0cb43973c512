import type { VmConfig } from "./schema.ts";
import { vmFromOptions } from "./vm-options.ts";

export type Options = {
  apiSocket: string | null;
  eventMonitor: { path: string } | { fd: number } | null;
  logFile: string | null;
  verbosity: number;
  seccomp: string;
  noShutdown: boolean;
  /** A VM described by the command line; null in API mode. */
  vm: VmConfig | null;
};

/** The original tells the user and ends with this code: 2 for the command line's grammar, 1 for a value it cannot use. */
export class UsageError extends Error {
  constructor(
    message: string,
    readonly exitCode: 1 | 2,
  ) {
    super(message);
  }
}

export const HELP = `Launch a cloud-hypervisor VMM.

Usage: cloud-hypervisor [OPTIONS]

Options: --api-socket --event-monitor --log-file -v --seccomp --no-shutdown --version --help;
with --kernel or --firmware those of a VM`;

/** Options that stand free of a payload, and whether they take a value. */
const FREE: Record<string, boolean> = {
  "--api-socket": true,
  "--event-monitor": true,
  "--log-file": true,
  "--log-format": true,
  "--seccomp": true,
  "--no-shutdown": false,
  "--restore": true,
};
/** Options of one group that requires a payload on the command line. */
const OF_A_VM: Record<string, boolean> = {
  ...Object.fromEntries(
    ["balloon", "cmdline", "console", "cpus", "debug-console", "device", "disk", "firmware", "fs", "initramfs"].map(
      (name) => [`--${name}`, true],
    ),
  ),
  ...Object.fromEntries(
    ["kernel", "landlock-rules", "memory", "memory-zone", "net", "numa", "pci-segment", "platform", "pmem"].map(
      (name) => [`--${name}`, true],
    ),
  ),
  ...Object.fromEntries(
    ["rate-limit-group", "rng", "serial", "tpm", "user-device", "vdpa", "vsock"].map((name) => [`--${name}`, true]),
  ),
  "--landlock": false,
  "--pvpanic": false,
  "--watchdog": false,
};
const SECCOMP = ["true", "false", "log", "errno"];

/** @throws UsageError */
export function parseArguments(argv: string[]): Options {
  const given = new Map<string, string[]>();
  let verbosity = 0;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (/^-v+$/.test(word)) {
      verbosity += word.length - 1;
      continue;
    }
    const [name = "", attached] = word.startsWith("--") ? split(word) : [word];
    const takesValue = FREE[name] ?? OF_A_VM[name];
    if (takesValue === undefined) throw new UsageError(`error: unexpected argument '${word}' found`, 2);
    const values = given.get(name) ?? [];
    given.set(name, values);
    if (!takesValue) continue;
    const value = attached ?? argv[++at];
    if (value === undefined) throw new UsageError(`error: a value is required for '${name} <VALUE>'`, 2);
    values.push(value);
    // A repeated list option appends: further words up to the next option belong to it.
    if (OF_A_VM[name])
      while (argv[at + 1] !== undefined && !argv[at + 1]?.startsWith("-")) values.push(argv[++at] ?? "");
  }
  const ofAVm = [...given.keys()].filter((name) => name in OF_A_VM);
  const payload = given.has("--kernel") || given.has("--firmware");
  if (ofAVm.length > 0 && !payload)
    throw new UsageError("error: required arguments were not provided: <--kernel <kernel>|--firmware <firmware>>", 2);
  if (payload && given.has("--restore"))
    throw new UsageError("error: the argument '--restore' cannot be used with a VM's options", 2);
  if (given.has("--restore")) throw new UsageError("error: this stand-in restores nothing", 1);
  const seccomp = given.get("--seccomp")?.[0] ?? "true";
  if (!SECCOMP.includes(seccomp)) throw new UsageError(`error: invalid value '${seccomp}' for '--seccomp'`, 2);
  return {
    apiSocket: apiSocket(given.get("--api-socket")?.[0]),
    eventMonitor: eventMonitor(given.get("--event-monitor")?.[0]),
    logFile: given.get("--log-file")?.[0] ?? null,
    verbosity,
    seccomp,
    noShutdown: given.has("--no-shutdown"),
    vm: payload ? vmFromOptions(given) : null,
  };
}

function split(word: string): [string, string?] {
  const at = word.indexOf("=");
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}

/** `path=S` or a bare path. Paths hold no comma, quote or bracket: the option parser splits there. */
function apiSocket(value: string | undefined): string | null {
  if (value === undefined) return null;
  if (/[,"[\]]/.test(value)) throw new UsageError(`Error parsing --api-socket: ${value}`, 1);
  if (value.startsWith("fd=")) throw new UsageError("Error: this stand-in takes no descriptor as --api-socket", 1);
  return value.replace(/^path=/, "");
}

/** A bare value is an error here. */
function eventMonitor(value: string | undefined): Options["eventMonitor"] {
  if (value === undefined) return null;
  const [, key, rest = ""] = /^(path|fd)=([^,"[\]]+)$/.exec(value) ?? [];
  if (key === "path") return { path: rest };
  if (key === "fd" && /^\d+$/.test(rest)) return { fd: Number(rest) };
  throw new UsageError("Error parsing event-monitor: path or fd is needed", 1);
}
