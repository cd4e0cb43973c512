import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import ipaddr from "ipaddr.js";
import * as v from "valibot";
import { HypeError, type ToolSelection } from "../contract/index.ts";
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
  cloudHypervisor: string;
  jail: "auto" | "required" | "off";
  uidBase: number;
  network: "auto" | "slot" | "user";
  readySlots: number;
  /** null: the host's own. */
  dns: string[] | null;
  passt: string;
  subnet: string;
  hostIp: string;
  bridge: string;
  listen: { host: string; port: number };
  apiBase: string;
  apiKey: string | null;
  /** PEM file the CLI trusts instead of this machine's authorities. */
  apiCa: string | null;
  /** PEM files; null: plain HTTP. */
  tls: { cert: string; key: string } | null;
  allowCidr: string[] | null;
  apiHosts: string[];
  trustedProxies: string[];
  artifactQuotaMb: number;
  /** 0: for ever. */
  artifactRetentionDays: number;
  /** A model behind an OpenAI-compatible endpoint; null: none. */
  llm: { baseUrl: string; model: string; key: string | null; tools?: ToolSelection } | null;
  /** Whose access tokens open MCP besides our keys; null: nobody's. */
  oauth: { issuer: string; audience: string | null } | null;
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
  const settings = { ...readSettingsFile(env.OVERHYPED_CONFIG || DEFAULT_CONFIG_FILE, faults), ...dropEmpty(env) };
  for (const [name, text] of Object.entries(settings)) {
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
  if (!set.OVERHYPED_TLS_CERT !== !set.OVERHYPED_TLS_KEY)
    faults.push("OVERHYPED_TLS_CERT and OVERHYPED_TLS_KEY must be given together");
  if (!set.OVERHYPED_LLM_BASE_URL !== !set.OVERHYPED_LLM_MODEL)
    faults.push("OVERHYPED_LLM_BASE_URL and OVERHYPED_LLM_MODEL must be given together");
  const runtimeDir =
    set.OVERHYPED_RUNTIME_DIR ?? join(set.OVERHYPED_HOME ?? join(env.HOME ?? homedir(), ".overhyped"), "run");
  if (Buffer.byteLength(runtimeDir) > RUNTIME_DIR_BYTES)
    faults.push(
      `OVERHYPED_RUNTIME_DIR ${runtimeDir} must be at most ${RUNTIME_DIR_BYTES} bytes long: Unix sockets lie below it`,
    );
  if (faults.length > 0) throw new HypeError("config_invalid", faults.join("; "), { faults });

  const home = set.OVERHYPED_HOME ?? join(env.HOME ?? homedir(), ".overhyped");
  const listen = set.OVERHYPED_API_LISTEN ?? DEFAULT_LISTEN;
  const scheme = set.OVERHYPED_TLS_CERT ? "https" : "http";
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
    cloudHypervisor: set.OVERHYPED_CLOUD_HYPERVISOR ?? "cloud-hypervisor",
    jail: set.OVERHYPED_JAIL ?? "auto",
    uidBase: set.OVERHYPED_UID_BASE ?? 1_900_000_000,
    network: set.OVERHYPED_NETWORK ?? "auto",
    readySlots: set.OVERHYPED_READY_SLOTS ?? 4,
    dns: set.OVERHYPED_DNS ?? null,
    passt: set.OVERHYPED_PASST ?? "passt",
    subnet,
    hostIp: set.OVERHYPED_HOST_IP ?? firstAddress(subnet),
    bridge: set.OVERHYPED_BRIDGE ?? "hypebr0",
    listen,
    apiBase: (set.OVERHYPED_API_BASE ?? baseOf(scheme, listen)).replace(/\/$/, ""),
    apiKey: set.OVERHYPED_API_KEY ?? null,
    apiCa: set.OVERHYPED_API_CA ?? null,
    tls:
      set.OVERHYPED_TLS_CERT && set.OVERHYPED_TLS_KEY
        ? { cert: set.OVERHYPED_TLS_CERT, key: set.OVERHYPED_TLS_KEY }
        : null,
    allowCidr: set.OVERHYPED_API_ALLOW_CIDR ?? null,
    apiHosts: set.OVERHYPED_API_HOSTS ?? [],
    trustedProxies: set.OVERHYPED_TRUSTED_PROXIES ?? [],
    artifactQuotaMb: set.OVERHYPED_ARTIFACT_QUOTA_MB ?? 10_240,
    artifactRetentionDays: set.OVERHYPED_ARTIFACT_RETENTION_DAYS ?? 0,
    llm:
      set.OVERHYPED_LLM_BASE_URL && set.OVERHYPED_LLM_MODEL
        ? {
            baseUrl: set.OVERHYPED_LLM_BASE_URL.replace(/\/+$/, ""),
            model: set.OVERHYPED_LLM_MODEL,
            key: set.OVERHYPED_LLM_KEY ?? null,
            ...(set.OVERHYPED_LLM_TOOLS && { tools: set.OVERHYPED_LLM_TOOLS }),
          }
        : null,
    oauth: set.OVERHYPED_OAUTH_ISSUER
      ? { issuer: set.OVERHYPED_OAUTH_ISSUER, audience: set.OVERHYPED_OAUTH_AUDIENCE ?? null }
      : null,
    bootTimeoutMs: set.OVERHYPED_BOOT_TIMEOUT_MS ?? 120_000,
    logLevel: set.OVERHYPED_LOG_LEVEL ?? "info",
  };
}

/** Written by `hype setup`, so that `hype serve`, run by systemd, and the commands of root on this machine mean the same server. */
export const DEFAULT_CONFIG_FILE = "/etc/overhyped/hype.env";

const dropEmpty = (env: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => !!entry[1]));

/** Lines `OVERHYPED_NAME=VALUE`, empty lines and comments, as systemd.exec(5) reads them in an EnvironmentFile; quotes are not taken off. */
function readSettingsFile(path: string, faults: string[]): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return {};
  }
  const lines = text.split("\n").map((line) => line.trim());
  const settings: Record<string, string> = {};
  for (const [index, line] of lines.entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const match = /^(OVERHYPED_[A-Z_]+)=(.*)$/.exec(line);
    if (match?.[1] && match[1] !== "OVERHYPED_CONFIG") settings[match[1]] = match[2]!;
    else faults.push(`${path}: line ${index + 1} must read OVERHYPED_NAME=VALUE`);
  }
  return settings;
}

const DEFAULT_LISTEN = { host: "127.0.0.1", port: 7777 };

/** Where a server that listens there is called from this machine. A port the kernel chooses cannot be known here. */
function baseOf(scheme: string, { host, port }: { host: string; port: number }): string {
  const name = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host;
  return `${scheme}://${name}:${port === 0 ? DEFAULT_LISTEN.port : port}`;
}

function firstAddress(subnet: string): string {
  const octets = ipaddr.IPv4.networkAddressFromCIDR(subnet).toByteArray();
  octets[3] = (octets[3] ?? 0) + 1;
  return octets.join(".");
}
