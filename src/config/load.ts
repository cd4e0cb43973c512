import { homedir } from "node:os";
import { join } from "node:path";
import ipaddr from "ipaddr.js";
import * as v from "valibot";
import { HypeError } from "../contract/index.ts";
import { RUNTIME_DIR_BYTES } from "./paths.ts";
import { ENVIRONMENT, type EnvironmentName, type EnvironmentValues } from "./environment.ts";

/** All settings of one process, validated and complete. Nothing else in the project reads `process.env`. */
export type Config = {
  home: string;
  dbPath: string;
  runtimeDir: string;
  logDir: string;
  imageDir: string;
  aptMirrors: string[];
  kernel: string | null;
  initramfs: string | null;
  hypervisor: "auto" | "qemu" | "cloud-hypervisor";
  accelerator: "auto" | "kvm" | "tcg";
  qemu: string;
  passt: string;
  subnet: string;
  hostIp: string;
  bridge: string;
  listen: { host: string; port: number };
  apiBase: string;
  apiKey: string | null;
  allowCidr: string[] | null;
  apiHosts: string[];
  trustedProxies: string[];
  bootTimeoutMs: number;
  logLevel: "debug" | "info" | "warn" | "error";
};

/**
 * Reads and checks every `OVERHYPED_*` variable.
 * @throws HypeError `config_invalid` naming each wrong or unknown variable and what was expected.
 */
export function loadConfig(env: Record<string, string | undefined> = process.env): Config {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith("OVERHYPED_") || name.startsWith("OVERHYPED_TEST_") || text === undefined || text === "")
      continue;
    const entry = ENVIRONMENT[name as EnvironmentName];
    if (!entry) {
      faults.push(`${name} is not a setting of hype`);
      continue;
    }
    const parsed = v.safeParse(entry.schema, text, { abortPipeEarly: true });
    if (parsed.success) values[name] = parsed.output;
    else
      faults.push(
        `${name} ${parsed.issues[0].message} (is: ${name.endsWith("_KEY") ? "hidden" : JSON.stringify(text)})`,
      );
  }
  const set = values as EnvironmentValues;
  const subnet = set.OVERHYPED_SUBNET ?? "192.168.127.0/24";
  if (set.OVERHYPED_HOST_IP && !ipaddr.IPv4.parse(set.OVERHYPED_HOST_IP).match(ipaddr.IPv4.parseCIDR(subnet)))
    faults.push(`OVERHYPED_HOST_IP ${set.OVERHYPED_HOST_IP} must lie in OVERHYPED_SUBNET ${subnet}`);
  const runtimeDir =
    set.OVERHYPED_RUNTIME_DIR ?? join(set.OVERHYPED_HOME ?? join(env.HOME ?? homedir(), ".overhyped"), "run");
  if (Buffer.byteLength(runtimeDir) > RUNTIME_DIR_BYTES)
    faults.push(
      `OVERHYPED_RUNTIME_DIR ${runtimeDir} must be at most ${RUNTIME_DIR_BYTES} bytes long: Unix sockets lie below it`,
    );
  if (faults.length > 0) throw new HypeError("config_invalid", faults.join("; "), { faults });

  const home = set.OVERHYPED_HOME ?? join(env.HOME ?? homedir(), ".overhyped");
  const listen = set.OVERHYPED_API_LISTEN ?? DEFAULT_LISTEN;
  return {
    home,
    dbPath: set.OVERHYPED_DB_PATH ?? join(home, "state.db"),
    runtimeDir,
    logDir: set.OVERHYPED_LOG_DIR ?? join(home, "logs"),
    imageDir: set.OVERHYPED_IMAGE_DIR ?? join(home, "images"),
    aptMirrors: set.OVERHYPED_APT_MIRROR ?? [],
    kernel: set.OVERHYPED_KERNEL ?? null,
    initramfs: set.OVERHYPED_INITRAMFS ?? null,
    hypervisor: set.OVERHYPED_HYPERVISOR ?? "auto",
    accelerator: set.OVERHYPED_ACCELERATOR ?? "auto",
    qemu: set.OVERHYPED_QEMU ?? "qemu-system-x86_64",
    passt: set.OVERHYPED_PASST ?? "passt",
    subnet,
    hostIp: set.OVERHYPED_HOST_IP ?? firstAddress(subnet),
    bridge: set.OVERHYPED_BRIDGE ?? "hypebr0",
    listen,
    apiBase: (set.OVERHYPED_API_BASE ?? baseOf(listen)).replace(/\/$/, ""),
    apiKey: set.OVERHYPED_API_KEY ?? null,
    allowCidr: set.OVERHYPED_API_ALLOW_CIDR ?? null,
    apiHosts: set.OVERHYPED_API_HOSTS ?? [],
    trustedProxies: set.OVERHYPED_TRUSTED_PROXIES ?? [],
    bootTimeoutMs: set.OVERHYPED_BOOT_TIMEOUT_MS ?? 120_000,
    logLevel: set.OVERHYPED_LOG_LEVEL ?? "info",
  };
}

const DEFAULT_LISTEN = { host: "127.0.0.1", port: 7777 };

/** Where a server that listens there is called from this machine. A port the kernel chooses cannot be known here. */
function baseOf({ host, port }: { host: string; port: number }): string {
  const name = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${port === 0 ? DEFAULT_LISTEN.port : port}`;
}

function firstAddress(subnet: string): string {
  const octets = ipaddr.IPv4.networkAddressFromCIDR(subnet).toByteArray();
  octets[3] = (octets[3] ?? 0) + 1;
  return octets.join(".");
}
