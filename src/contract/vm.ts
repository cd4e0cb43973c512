import * as v from "valibot";
import { KeepKind, KeepPolicy } from "./artifact.ts";
import { EgressMode, EgressPolicy } from "./egress.ts";
import { Isolation } from "./isolation.ts";
import { Control } from "./live-view.ts";
import { Proxy } from "./proxy.ts";

/** Life of a VM. `running` means usable: the agent answered and Chromium's DevTools are ready. */
export const VmStatus = v.picklist([
  "creating", // row and lease exist, nothing spawned yet: does not survive a restart of the server
  "starting", // VMM spawned, browser not usable yet
  "running",
  "paused",
  "stopping",
  "stopped",
  "crashed", // died or missed its deadline; `status_reason` and `console_tail` say why
  "deleting",
]);
export type VmStatus = v.InferOutput<typeof VmStatus>;

/** A DNS label (RFC 1123): it becomes the guest's hostname. */
export const VmName = v.pipe(
  v.string("must be text"),
  v.minLength(1, "must not be empty"),
  v.maxLength(63, "must be at most 63 characters"),
  v.regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, "must be lower-case letters, digits and inner hyphens (a DNS label)"),
);

export const LIMITS = {
  cpu_cores: { min: 1, max: 64 },
  /** Below 512 MB Chromium does not come up reliably. */
  memory_mb: { min: 512, max: 1_048_576 },
  /** Linux x86 takes 2048 bytes in all; ours need up to 512 of them. */
  kernel_cmdline_bytes: 1536,
  ttl_seconds: { min: 10, max: 31_536_000 },
  labels: { count: 64, key: 63, value: 255 },
  /** Largest JSON body of the API, bytes. */
  body_bytes: 1_048_576,
  /** Largest CDP message relayed, bytes. */
  cdp_message_bytes: 256 * 1024 * 1024,
} as const;

const wholeNumber = (min: number, max: number) =>
  v.pipe(
    v.number("must be a number"),
    v.integer("must be a whole number"),
    v.minValue(min, `must be at least ${min}`),
    v.maxValue(max, `must be at most ${max}`),
  );

export const Labels = v.pipe(
  v.record(
    v.pipe(
      v.string(),
      v.regex(/^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/, "label keys are 1-63 letters, digits, . _ / -"),
    ),
    v.pipe(v.string("label values are text"), v.maxLength(LIMITS.labels.value)),
  ),
  v.check((labels) => Object.keys(labels).length <= LIMITS.labels.count, `at most ${LIMITS.labels.count} labels`),
);
export type Labels = v.InferOutput<typeof Labels>;

/** Body of `POST /api/v1/vms`. Unknown fields are refused by name. */
export const CreateVm = v.strictObject({
  name: VmName,
  cpu_cores: v.optional(wholeNumber(LIMITS.cpu_cores.min, LIMITS.cpu_cores.max), 1),
  memory_mb: v.optional(wholeNumber(LIMITS.memory_mb.min, LIMITS.memory_mb.max), 1024),
  kernel_cmdline: v.optional(
    v.nullable(
      v.pipe(
        v.string(),
        v.maxLength(LIMITS.kernel_cmdline_bytes, `must be at most ${LIMITS.kernel_cmdline_bytes} bytes`),
        v.regex(/^[\x20-\x7e]*$/, "must be one line of printable ASCII"),
        v.check(
          (line) => !/(^|\s)(ip=|hype\.|init=|rdinit=)/.test(line),
          "must not set ip=, hype.*, init= or rdinit=: hype sets them",
        ),
      ),
    ),
    null,
  ),
  image: v.optional(
    v.nullable(v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "must be an image id or name"))),
    null,
  ),
  labels: v.optional(Labels, {}),
  ttl_seconds: v.optional(v.nullable(wholeNumber(LIMITS.ttl_seconds.min, LIMITS.ttl_seconds.max)), null),
  egress: v.pipe(
    v.optional(v.nullable(EgressPolicy), null),
    v.description("What the guest may reach; null: the network's default (slot: internet, user: open)"),
  ),
  proxy: v.pipe(
    v.optional(v.nullable(Proxy), null),
    v.description("What the browser goes through; null: pages are reached directly"),
  ),
  keep: v.pipe(
    v.optional(KeepPolicy, []),
    v.description("Kinds of artifacts that are kept on the host without being asked for"),
  ),
  profile: v.pipe(
    v.optional(v.nullable(VmName), null),
    v.description("Profile its browser is given before it runs, at every start; null: an empty browser"),
  ),
});
export type CreateVm = v.InferOutput<typeof CreateVm>;
export type CreateVmInput = v.InferInput<typeof CreateVm>;

/** Body of `PATCH /api/v1/vms/:name`. */
export const ResizeVm = v.pipe(
  v.strictObject({
    cpu_cores: v.optional(wholeNumber(LIMITS.cpu_cores.min, LIMITS.cpu_cores.max)),
    memory_mb: v.optional(wholeNumber(LIMITS.memory_mb.min, LIMITS.memory_mb.max)),
  }),
  v.check((size) => Object.keys(size).length > 0, "must name cpu_cores, memory_mb or both"),
);
export type ResizeVm = v.InferOutput<typeof ResizeVm>;

const Timestamp = v.pipe(v.string(), v.description("ISO 8601, UTC, milliseconds"));

/** A VM as every door shows it. */
export const Vm = v.object({
  id: v.pipe(v.string(), v.description("UUIDv7; never reused")),
  name: v.string(),
  status: VmStatus,
  status_reason: v.pipe(v.nullable(v.string()), v.description("Why it is crashed or stopped; null otherwise")),
  console_tail: v.pipe(v.nullable(v.string()), v.description("Last console lines, kept when it crashed")),
  generation: v.pipe(
    v.number(),
    v.integer(),
    v.description("Grows by one at every start: a replaced guest is never silent"),
  ),
  cpu_cores: v.number(),
  memory_mb: v.number(),
  kernel_cmdline: v.nullable(v.string()),
  image: v.pipe(v.string(), v.description("Image id it was created from")),
  profile: v.pipe(v.nullable(v.string()), v.description("Profile its browser is given at every start")),
  labels: v.record(v.string(), v.string()),
  ttl_seconds: v.nullable(v.number()),
  expires_at: v.nullable(Timestamp),
  ip_address: v.pipe(v.string(), v.description("Leased address, the VM's own for its whole life")),
  endpoint: v.pipe(
    v.nullable(v.string()),
    v.description("Where the server reaches the agent's door; null when not started"),
  ),
  network: v.pipe(
    v.nullable(v.picklist(["slot", "user"])),
    v.description("slot: a namespace of its own, policed; user: passt, without root; null when never started"),
  ),
  keep: v.pipe(v.array(KeepKind), v.description("Kinds of artifacts that are kept without being asked for")),
  egress_mode: v.pipe(EgressMode, v.description("Of its egress policy, which GET …/egress shows whole")),
  isolation: v.pipe(v.nullable(Isolation), v.description("How the VMM is jailed; null when not started")),
  hypervisor: v.nullable(v.picklist(["cloud-hypervisor", "qemu"])),
  accelerator: v.pipe(v.nullable(v.picklist(["kvm", "tcg"])), v.description("tcg = software emulation")),
  pid: v.pipe(v.nullable(v.number()), v.description("The VMM's process id on the host")),
  boot_ms: v.pipe(v.nullable(v.number()), v.description("Start to usable, last start")),
  browser_restarts: v.pipe(v.number(), v.description("How often Chromium died and was restarted since the last start")),
  control: v.pipe(v.nullable(Control), v.description("The person who has the browser in hand; null: nobody")),
  created_at: Timestamp,
  started_at: v.nullable(Timestamp),
  updated_at: Timestamp,
});
export type Vm = v.InferOutput<typeof Vm>;

export const VM_SORT_FIELDS = ["name", "created_at", "updated_at", "status", "memory_mb", "cpu_cores"] as const;

const queryNumber = (min: number, max: number) =>
  v.pipe(
    v.string(),
    v.regex(/^\d{1,9}$/, "must be a whole number"),
    v.check((text) => Number(text) >= min && Number(text) <= max, `must be between ${min} and ${max}`),
  );

/** Query of `GET /api/v1/vms`. Values stay text (Elysia does not coerce); `-field` sorts downwards. */
export const ListVmsQuery = v.strictObject({
  status: v.optional(v.pipe(v.string(), v.description("One status or several, comma-separated"))),
  label: v.optional(v.pipe(v.string(), v.description("key or key=value; several comma-separated, all must match"))),
  q: v.optional(v.pipe(v.string(), v.maxLength(64), v.description("Part of the name"))),
  sort: v.optional(v.picklist(VM_SORT_FIELDS.flatMap((field) => [field, `-${field}` as const]))),
  limit: v.optional(queryNumber(1, 1000)),
  offset: v.optional(queryNumber(0, 1_000_000)),
});
export type ListVmsQuery = v.InferOutput<typeof ListVmsQuery>;

export const VmList = v.object({
  items: v.array(Vm),
  total: v.pipe(v.number(), v.description("Rows that match, before paging")),
});
export type VmList = v.InferOutput<typeof VmList>;
