import type { VmConfig } from "./schema.ts";
import { UsageError } from "./arguments.ts";

const SIZE_UNITS: Record<string, number> = { "": 1, K: 1024, M: 1_048_576, G: 1_073_741_824 };

/**
 * A VM described by the command line, as far as a driver's probe needs it: payload, cpus, memory, disks, net, consoles.
 * @throws UsageError
 */
export function vmFromOptions(given: Map<string, string[]>): VmConfig {
  const one = (name: string) => given.get(name)?.[0];
  const fields = (name: string) => (one(name) === undefined ? null : keys(name, one(name) ?? ""));
  const known = [
    "kernel",
    "firmware",
    "initramfs",
    "cmdline",
    "cpus",
    "memory",
    "disk",
    "net",
    "serial",
    "console",
    "pvpanic",
    "watchdog",
  ];
  for (const name of given.keys())
    if (OTHER_GROUPS.includes(name)) continue;
    else if (!known.includes(name.slice(2))) throw new UsageError(`Error: this stand-in takes no ${name}`, 1);
  const cpus = fields("--cpus");
  const memory = fields("--memory");
  const boot = Number(cpus?.boot ?? 1);
  return {
    payload: {
      kernel: one("--kernel") ?? null,
      firmware: one("--firmware") ?? null,
      initramfs: one("--initramfs") ?? null,
      cmdline: one("--cmdline") ?? null,
    },
    cpus: { boot_vcpus: boot, max_vcpus: Number(cpus?.max ?? boot) },
    memory: { size: size(memory?.size ?? "512M") },
    disks: (given.get("--disk") ?? []).map((text) => {
      const { path = "", readonly, id, serial } = keys("--disk", text);
      return { path, readonly: readonly === "on", id: id ?? null, serial: serial ?? null };
    }),
    net: (given.get("--net") ?? []).map((text) => {
      const { tap, mac, id } = keys("--net", text);
      return { tap: tap ?? null, ...(mac ? { mac } : {}), id: id ?? null };
    }),
    serial: consoleOf(one("--serial") ?? "null"),
    console: consoleOf(one("--console") ?? "tty"),
    pvpanic: given.has("--pvpanic"),
    watchdog: given.has("--watchdog"),
  };
}

const OTHER_GROUPS = ["--api-socket", "--event-monitor", "--log-file", "--log-format", "--seccomp", "--no-shutdown"];

function keys(option: string, text: string): Record<string, string | undefined> {
  return Object.fromEntries(
    text.split(",").map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new UsageError(`Error parsing ${option}: ${pair}`, 1);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

function size(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+)([KMG]?)$/.exec(text) ?? [];
  if (digits === "") throw new UsageError(`Error parsing a size: ${text}`, 1);
  return Number(digits) * (SIZE_UNITS[unit] ?? 1);
}

function consoleOf(text: string): { mode: "Off" | "Null" | "Tty" | "File" | "Socket"; file?: string; socket?: string } {
  const [word = "", path] = text.split("=");
  if (word === "file" && path) return { mode: "File", file: path };
  if (word === "socket" && path) return { mode: "Socket", socket: path };
  const mode = ({ off: "Off", null: "Null", tty: "Tty" } as const)[word];
  if (!mode) throw new UsageError(`Error parsing console: ${text}`, 1);
  return { mode };
}
