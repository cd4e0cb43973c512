import ipaddr from "ipaddr.js";
import * as v from "valibot";
import { TOOL_SELECTION_RULE, TOOL_WORDS } from "../contract/index.ts";

const text = v.pipe(v.string(), v.minLength(1, "must not be empty"));
const absolutePath = v.pipe(
  text,
  v.regex(/^\//, "must be an absolute path"),
  v.regex(/^[^,\n\0]*$/, "must hold no comma or newline"),
);
const list = v.pipe(
  v.string(),
  v.transform((line) =>
    line
      .split(",")
      .map((item) => item.trim())
      .filter(Boolean),
  ),
);
const milliseconds = v.pipe(
  v.string(),
  v.regex(/^\d{1,7}$/, "must be whole milliseconds"),
  v.transform(Number),
  v.minValue(1, "must be at least 1"),
);

const listen = v.pipe(
  v.string(),
  v.regex(/^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/, "must be ADDRESS:PORT, e.g. 127.0.0.1:7777 or [::1]:7777"),
  v.transform((value) => {
    const at = value.lastIndexOf(":");
    return { host: value.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(value.slice(at + 1)) };
  }),
  v.check(({ port }) => port <= 65_535, "the port must be at most 65535"),
);

const subnet = v.pipe(
  v.string(),
  v.check((value) => ipaddr.IPv4.isValidCIDR(value), "must be an IPv4 network, e.g. 192.168.127.0/24"),
  v.check((value) => {
    const bits = Number(value.split("/")[1]);
    return bits >= 16 && bits <= 29;
  }, "the prefix must lie between /16 and /29"),
  v.check(
    (value) => ipaddr.IPv4.networkAddressFromCIDR(value).toString() === value.split("/")[0],
    "must be the network's first address",
  ),
);

/**
 * Every environment variable hype reads, once. docs/configuration.md is generated from this table.
 * `schema` turns the text into the value; `fallback` is said in words where it depends on other settings.
 */
export const ENVIRONMENT = {
  OVERHYPED_CONFIG: {
    schema: absolutePath,
    fallback: "/etc/overhyped/hype.env",
    meaning:
      "Settings file, NAME=VALUE lines of this table; the environment wins. Not there or not readable: nothing is read",
  },
  OVERHYPED_HOME: {
    schema: absolutePath,
    fallback: "~/.overhyped",
    meaning: "State directory: state.db, run, logs, images, artifacts, admin.key",
  },
  OVERHYPED_DB_PATH: { schema: absolutePath, fallback: "$OVERHYPED_HOME/state.db", meaning: "SQLite database" },
  OVERHYPED_RUNTIME_DIR: {
    schema: absolutePath,
    fallback: "$OVERHYPED_HOME/run",
    meaning: "One directory per VM: sockets and pid files",
  },
  OVERHYPED_LOG_DIR: {
    schema: absolutePath,
    fallback: "$OVERHYPED_HOME/logs",
    meaning: "Console, VMM and server logs",
  },
  OVERHYPED_IMAGE_DIR: { schema: absolutePath, fallback: "$OVERHYPED_HOME/images", meaning: "Guest images" },
  OVERHYPED_APT_MIRROR: {
    schema: v.pipe(
      list,
      v.check(
        (mirrors) =>
          mirrors.length > 0 && mirrors.length <= 2 && mirrors.every((uri) => /^https?:\/\/[^\s[\]'"$`\\]+$/.test(uri)),
        "must be the URI of a Debian archive and, after a comma, that of its security archive",
      ),
    ),
    fallback: "Debian's own, with security updates",
    meaning: "Where image builds get packages from: archive[,security archive]",
  },
  OVERHYPED_KERNEL: {
    schema: absolutePath,
    fallback: "the image's own",
    meaning: "Kernel to boot instead of the image's",
  },
  OVERHYPED_INITRAMFS: {
    schema: absolutePath,
    fallback: "the image's own",
    meaning: "Initramfs to boot instead of the image's",
  },
  OVERHYPED_HYPERVISOR: {
    schema: v.picklist(["auto", "qemu", "cloud-hypervisor"], "must be auto, qemu or cloud-hypervisor"),
    fallback: "auto",
    meaning: "Which hypervisor runs VMs",
  },
  OVERHYPED_ACCELERATOR: {
    schema: v.picklist(["auto", "kvm", "tcg"], "must be auto, kvm or tcg"),
    fallback: "auto",
    meaning: "QEMU's accelerator; auto uses KVM only after a probe guest really booted with it",
  },
  OVERHYPED_QEMU: { schema: text, fallback: "qemu-system-x86_64", meaning: "QEMU program" },
  OVERHYPED_CLOUD_HYPERVISOR: {
    schema: text,
    fallback: "cloud-hypervisor",
    meaning: "Cloud Hypervisor program",
  },
  OVERHYPED_JAIL: {
    schema: v.picklist(["auto", "required", "off"], "must be auto, required or off"),
    fallback: "auto",
    meaning:
      "auto: every VMM is jailed as far as this host allows; required: a VM whose VMM cannot have a user and a cgroup of its own does not start",
  },
  OVERHYPED_UID_BASE: {
    schema: v.pipe(
      v.string(),
      v.regex(/^\d{1,10}$/, "must be a user id"),
      v.transform(Number),
      v.minValue(10_000, "must be at least 10000"),
      v.maxValue(4_294_000_000, "must be at most 4294000000"),
    ),
    fallback: "1900000000",
    meaning: "VMM of lease N runs as user and group BASE + N; no other user may lie in that range",
  },
  OVERHYPED_NETWORK: {
    schema: v.picklist(["auto", "slot", "user"], "must be auto, slot or user"),
    fallback: "auto",
    meaning:
      "slot: a policed namespace per VM (root, after `hype setup`); user: passt; auto: slot where the host is set up for it",
  },
  OVERHYPED_READY_SLOTS: {
    schema: v.pipe(
      v.string(),
      v.regex(/^\d{1,6}$/, "must be a whole number"),
      v.transform(Number),
      v.maxValue(256, "must be at most 256"),
    ),
    fallback: "4",
    meaning: "Slots of the network built ahead of need",
  },
  OVERHYPED_DNS: {
    schema: v.pipe(
      list,
      v.check(
        (servers) => servers.length > 0 && servers.length <= 4 && servers.every((ip) => ipaddr.isValid(ip)),
        "must be one to four addresses of name servers",
      ),
    ),
    fallback: "the host's, from /etc/resolv.conf",
    meaning: "Name servers that answer for the guests of the slot network",
  },
  OVERHYPED_PASST: { schema: text, fallback: "passt", meaning: "passt program (network without root)" },
  OVERHYPED_SUBNET: { schema: subnet, fallback: "192.168.127.0/24", meaning: "Network of the VMs' leases" },
  OVERHYPED_HOST_IP: {
    schema: v.pipe(
      v.string(),
      v.check((ip) => ipaddr.IPv4.isValidFourPartDecimal(ip), "must be an IPv4 address"),
    ),
    fallback: "the subnet's first address",
    meaning: "The host's side in that network",
  },
  OVERHYPED_BRIDGE: {
    schema: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,14}$/, "must be an interface name of at most 15 characters")),
    fallback: "hypebr0",
    meaning: "Bridge of the slot network",
  },
  OVERHYPED_API_LISTEN: {
    schema: listen,
    fallback: "127.0.0.1:7777",
    meaning: "Address and port of `hype serve`; port 0 lets the kernel choose",
  },
  OVERHYPED_API_BASE: {
    schema: v.pipe(v.string(), v.regex(/^https?:\/\/[^\s/]+\/?$/, "must be http://HOST:PORT")),
    fallback: "the address of OVERHYPED_API_LISTEN",
    meaning: "Where the CLI finds the server",
  },
  OVERHYPED_API_KEY: {
    schema: v.pipe(text, v.minLength(16, "must be at least 16 characters")),
    fallback: "admin.key in OVERHYPED_HOME",
    meaning: "Key: an additional admin key for `serve`, the key to send for the CLI",
  },
  OVERHYPED_API_CA: {
    schema: absolutePath,
    fallback: "the authorities this machine trusts",
    meaning:
      "Certificate authority of the server for the CLI, PEM; for a self-signed certificate: the certificate itself",
  },
  OVERHYPED_TLS_CERT: {
    schema: absolutePath,
    fallback: "no TLS",
    meaning: "Certificate chain of the server, PEM; together with OVERHYPED_TLS_KEY",
  },
  OVERHYPED_TLS_KEY: { schema: absolutePath, fallback: "no TLS", meaning: "Its private key, PEM" },
  OVERHYPED_API_ALLOW_CIDR: {
    schema: v.pipe(
      list,
      v.check(
        (cidrs) => cidrs.length > 0 && cidrs.every((cidr) => ipaddr.isValidCIDR(cidr)),
        "must be comma-separated networks, e.g. 127.0.0.0/8,::1/128",
      ),
    ),
    fallback: "no restriction beyond the listen address",
    meaning: "Callers' networks; everything else is refused",
  },
  OVERHYPED_API_HOSTS: {
    schema: list,
    fallback: "the listen address, localhost and loopback",
    meaning: "Further host names accepted in Host and Origin",
  },
  OVERHYPED_TRUSTED_PROXIES: {
    schema: v.pipe(
      list,
      v.check((cidrs) => cidrs.every((cidr) => ipaddr.isValidCIDR(cidr)), "must be comma-separated networks"),
    ),
    fallback: "none",
    meaning: "Proxies whose X-Forwarded-For is believed",
  },
  OVERHYPED_ARTIFACT_QUOTA_MB: {
    schema: v.pipe(
      v.string(),
      v.regex(/^\d{1,9}$/, "must be whole megabytes"),
      v.transform(Number),
      v.minValue(1, "must be at least 1"),
    ),
    fallback: "10240",
    meaning: "Space all artifacts together may take, MB (1048576 bytes); more is refused, nothing is deleted for it",
  },
  OVERHYPED_ARTIFACT_RETENTION_DAYS: {
    schema: v.pipe(
      v.string(),
      v.regex(/^\d{1,5}$/, "must be whole days"),
      v.transform(Number),
      v.maxValue(36_500, "must be at most 36500"),
    ),
    fallback: "0",
    meaning: "Artifacts kept from now on are deleted after so many days; 0: never",
  },
  OVERHYPED_LLM_BASE_URL: {
    schema: v.pipe(v.string(), v.regex(/^https?:\/\/[^\s?#@]+$/, "must be http(s)://HOST[:PORT][/PATH]")),
    fallback: "no model",
    meaning: "OpenAI-compatible endpoint of the AG-UI operator, up to and without /chat/completions",
  },
  OVERHYPED_LLM_MODEL: {
    schema: v.pipe(text, v.maxLength(200, "must be at most 200 characters")),
    fallback: "no model",
    meaning: "Its model; together with OVERHYPED_LLM_BASE_URL",
  },
  OVERHYPED_LLM_KEY: { schema: text, fallback: "none is sent", meaning: "Key of that endpoint" },
  OVERHYPED_LLM_TOOLS: {
    schema: v.pipe(list, v.array(v.picklist(TOOL_WORDS, TOOL_SELECTION_RULE)), v.minLength(1, TOOL_SELECTION_RULE)),
    fallback: "default",
    meaning: "Tools that model is offered where a run does not say: default, all, or groups as in `?tools=` of MCP",
  },
  OVERHYPED_OAUTH_ISSUER: {
    schema: v.pipe(
      v.string(),
      v.regex(
        /^(https:\/\/[^\s?#]+|http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/[^\s?#]*)?)$/,
        "must be an https:// URL, without query",
      ),
    ),
    fallback: "keys of `hype keys create` only",
    meaning: "OAuth issuer whose access tokens open /mcp, too; its scopes overhyped:read, :operate, :admin",
  },
  OVERHYPED_OAUTH_AUDIENCE: {
    schema: v.pipe(v.string(), v.url("must be a URL")),
    fallback: "OVERHYPED_API_BASE and /mcp",
    meaning: "What those tokens must be for: the URL of /mcp as clients know it",
  },
  OVERHYPED_BOOT_TIMEOUT_MS: { schema: milliseconds, fallback: "120000", meaning: "Start to usable, per VM" },
  OVERHYPED_LOG_LEVEL: {
    schema: v.picklist(["debug", "info", "warn", "error"], "must be debug, info, warn or error"),
    fallback: "info",
    meaning: "Least level that is logged",
  },
} as const satisfies Record<string, { schema: v.GenericSchema<string, unknown>; fallback: string; meaning: string }>;

export type EnvironmentName = keyof typeof ENVIRONMENT;
type Value<Name extends EnvironmentName> = v.InferOutput<(typeof ENVIRONMENT)[Name]["schema"]>;
export type EnvironmentValues = { [Name in EnvironmentName]?: Value<Name> };
