import { BROWSER_ERRORS } from "./browser-errors.ts";
import { KEEPING_ERRORS } from "./keeping-errors.ts";
import { LIVE_ERRORS } from "./live-errors.ts";

/**
 * Every error a user can meet, once. The code is stable and never renamed; docs/errors.md is generated from this table.
 * `status` is the HTTP status (RFC 9110), `exit` the CLI's exit code, `remedy` what the reader should do next.
 */
export const ERRORS = {
  invalid_request: {
    status: 400,
    exit: 2,
    title: "The request is not valid",
    remedy: "Mend the fields named in `issues`.",
  },
  unauthorized: {
    status: 401,
    exit: 1,
    title: "No valid key",
    remedy: "Send `Authorization: Bearer <key>`; the admin key stands in `admin.key` in the state directory.",
  },
  forbidden: {
    status: 403,
    exit: 1,
    title: "Not allowed",
    remedy: "Use a key or token that covers this VM and this call.",
  },
  address_not_allowed: {
    status: 403,
    exit: 1,
    title: "Caller's address is not allowed",
    remedy: "Add the address to OVERHYPED_API_ALLOW_CIDR.",
  },
  host_not_allowed: {
    status: 403,
    exit: 1,
    title: "Host header is not allowed",
    remedy: "Call the server by an address or name listed in OVERHYPED_API_HOSTS.",
  },
  origin_not_allowed: {
    status: 403,
    exit: 1,
    title: "Origin is not allowed",
    remedy: "Web pages may not call this server; add the origin to OVERHYPED_API_HOSTS if yours must.",
  },
  not_found: { status: 404, exit: 1, title: "No such route", remedy: "See /openapi.json for the routes." },
  method_not_allowed: {
    status: 405,
    exit: 1,
    title: "Method not allowed",
    remedy: "See the Allow header of the reply.",
  },
  payload_too_large: {
    status: 413,
    exit: 1,
    title: "Payload too large",
    remedy: "Send less than the limit named in the message.",
  },
  unsupported_media_type: {
    status: 415,
    exit: 1,
    title: "Unsupported media type",
    remedy: "Send `Content-Type: application/json`.",
  },
  not_acceptable: {
    status: 406,
    exit: 1,
    title: "No form of the reply is acceptable",
    remedy: "Name one of the types of the message in Accept.",
  },
  rate_limited: {
    status: 429,
    exit: 1,
    title: "Too many calls",
    remedy: "Wait for the seconds in Retry-After; after failed keys, use a valid one.",
  },
  vm_not_found: { status: 404, exit: 1, title: "No such VM", remedy: "`hype vms list` shows the VMs there are." },
  vm_name_taken: {
    status: 409,
    exit: 1,
    title: "The name is taken",
    remedy: "Choose another name or delete the VM that has it.",
  },
  vm_state_conflict: {
    status: 409,
    exit: 1,
    title: "The VM's state does not allow this",
    remedy: "`hype vms get NAME` shows the state; the message names the states that allow it.",
  },
  vm_not_running: {
    status: 409,
    exit: 1,
    title: "The VM is not running",
    remedy: "`hype vms start NAME` or `hype vms resume NAME`.",
  },
  lease_pool_empty: {
    status: 409,
    exit: 1,
    title: "No free address",
    remedy: "Delete VMs, or configure a larger OVERHYPED_SUBNET.",
  },
  insufficient_memory: {
    status: 409,
    exit: 1,
    title: "Not enough memory on this host",
    remedy: "Stop or delete VMs, or ask for less memory.",
  },
  insufficient_cpu: {
    status: 409,
    exit: 1,
    title: "More CPU cores than this host has",
    remedy: "Ask for at most the cores named in the message.",
  },
  image_not_found: {
    status: 404,
    exit: 1,
    title: "No such image",
    remedy: "`hype image list` shows the images; `hype image build` makes one.",
  },
  image_invalid: {
    status: 409,
    exit: 1,
    title: "The image is damaged",
    remedy: "`hype image verify` names the file; `hype image build --force` makes it anew.",
  },
  image_in_use: {
    status: 409,
    exit: 1,
    title: "The image is in use",
    remedy: "Delete the VMs named in the message first.",
  },
  image_build_failed: {
    status: 500,
    exit: 1,
    title: "The image could not be built",
    remedy: "The message carries the tool's own output.",
  },
  tool_missing: {
    status: 503,
    exit: 1,
    title: "A program is missing on this host",
    remedy: "Install the package named in the message.",
  },
  hypervisor_unavailable: {
    status: 503,
    exit: 1,
    title: "No hypervisor can be used",
    remedy: "`hype doctor` says what is missing.",
  },
  hypervisor_failed: {
    status: 502,
    exit: 1,
    title: "The hypervisor failed",
    remedy: "The message carries its own output; `hype vms logs NAME --source vmm` shows more.",
  },
  network_failed: {
    status: 502,
    exit: 1,
    title: "The VM's network could not be built",
    remedy: "The message carries the tool's own output; `hype doctor` checks the parts.",
  },
  boot_failed: {
    status: 502,
    exit: 1,
    title: "The VM died while booting",
    remedy: "The message carries the console's last lines.",
  },
  boot_timeout: {
    status: 504,
    exit: 1,
    title: "The VM did not become usable in time",
    remedy: "The message carries the console's last lines; OVERHYPED_BOOT_TIMEOUT_MS raises the deadline.",
  },
  guest_unreachable: {
    status: 502,
    exit: 1,
    title: "The agent in the VM does not answer",
    remedy: "`hype vms logs NAME` shows the console; `hype vms restart NAME` starts it anew.",
  },
  browser_unavailable: {
    status: 503,
    exit: 1,
    title: "Chromium is not ready in the VM",
    remedy: "It restarts by itself; try again, or see `hype vms logs NAME --source agent`.",
  },
  tab_not_found: { status: 404, exit: 1, title: "No such tab", remedy: "`GET …/browser/tabs` lists the tabs." },
  tab_crashed: {
    status: 502,
    exit: 1,
    title: "The tab crashed",
    remedy: "Navigate it again, or close it and use another; a page that needs more memory needs a larger VM.",
  },
  navigation_failed: {
    status: 422,
    exit: 1,
    title: "The page could not be opened",
    remedy: "The message carries Chromium's own reason.",
  },
  evaluation_failed: {
    status: 422,
    exit: 1,
    title: "The script threw",
    remedy: "The message carries the exception and its stack.",
  },
  screenshot_failed: {
    status: 502,
    exit: 1,
    title: "Chromium took no screenshot",
    remedy: "The message carries Chromium's own reason; a page that is too large to draw can be taken in parts.",
  },
  ...BROWSER_ERRORS,
  ...KEEPING_ERRORS,
  ...LIVE_ERRORS,
  operation_timeout: {
    status: 504,
    exit: 1,
    title: "The operation did not finish in time",
    remedy: "Raise `timeout_ms`, or see what the page waits for.",
  },
  result_too_large: {
    status: 422,
    exit: 1,
    title: "The result is too large",
    remedy: "Return less from the page; the limit stands in the message.",
  },
  reader_too_slow: {
    status: 409,
    exit: 1,
    title: "The reader of the events fell too far behind",
    remedy: "Connect again with Last-Event-ID: what was missed is replayed.",
  },
  disk_full: {
    status: 507,
    exit: 1,
    title: "The disk is full",
    remedy: "Free space in the directory named in the message.",
  },
  port_taken: {
    status: 500,
    exit: 1,
    title: "The port is taken",
    remedy: "Stop the program that listens there or set OVERHYPED_API_LISTEN.",
  },
  state_locked: {
    status: 500,
    exit: 1,
    title: "Another server uses this state",
    remedy: "Stop it, or set another OVERHYPED_HOME.",
  },
  state_unwritable: {
    status: 500,
    exit: 1,
    title: "The state directory cannot be written",
    remedy: "Give the user named in the message write access, or set OVERHYPED_HOME.",
  },
  state_too_new: {
    status: 500,
    exit: 1,
    title: "The database was written by a newer hype",
    remedy: "Use that version or newer; nothing was changed.",
  },
  state_damaged: {
    status: 500,
    exit: 1,
    title: "The database cannot be used",
    remedy: "Restore a backup (docs/operations.md); nothing was changed.",
  },
  config_invalid: {
    status: 500,
    exit: 2,
    title: "A setting is wrong",
    remedy: "The message names the variable and what was expected.",
  },
  cancelled: { status: 409, exit: 130, title: "Cancelled", remedy: "The operation was undone on request." },
  usage: { status: 400, exit: 2, title: "Wrong command line", remedy: "`hype --help` shows the commands." },
  server_unreachable: {
    status: 503,
    exit: 3,
    title: "No server answers",
    remedy: "Start one with `hype serve`, or name it with --api or OVERHYPED_API_BASE.",
  },
  network_unavailable: {
    status: 503,
    exit: 1,
    title: "The slot network is not set up on this host",
    remedy: "Run `sudo hype setup`, or set OVERHYPED_NETWORK=user.",
  },
  egress_unsupported: {
    status: 409,
    exit: 1,
    title: "This VM's network cannot police egress",
    remedy: "Use the slot network (`sudo hype setup`), or create the VM without a policy.",
  },
  jail_unavailable: {
    status: 503,
    exit: 1,
    title: "The VMM cannot be jailed as required",
    remedy: "`hype doctor` says what is missing; OVERHYPED_JAIL=auto starts VMs with what there is.",
  },
  key_not_found: { status: 404, exit: 1, title: "No such key", remedy: "`hype keys list` shows the keys there are." },
  key_name_taken: {
    status: 409,
    exit: 1,
    title: "The key's name is taken",
    remedy: "Choose another name; revoked keys keep theirs.",
  },
  llm_failed: {
    status: 502,
    exit: 1,
    title: "The model's endpoint failed",
    remedy: "The message says how; OVERHYPED_LLM_BASE_URL names the endpoint. Commands work without it.",
  },
  interrupt_not_found: {
    status: 404,
    exit: 1,
    title: "No such interrupt",
    remedy: "It was answered, ran out or belongs to another thread or key: ask for the operation again.",
  },
  issuer_unavailable: {
    status: 503,
    exit: 1,
    title: "The OAuth issuer cannot be asked for its keys",
    remedy:
      "See that OVERHYPED_OAUTH_ISSUER is right and reachable from this host; or use a key of `hype keys create`.",
  },
  root_required: { status: 403, exit: 1, title: "Only root may do this", remedy: "Run it with sudo." },
  setup_failed: {
    status: 500,
    exit: 1,
    title: "The host could not be set up",
    remedy: "What this run had changed was undone; mend what the message names and run it again.",
  },
  shutting_down: {
    status: 503,
    exit: 1,
    title: "The server is shutting down",
    remedy: "Try again when it is back; VMs keep running.",
  },
  internal: {
    status: 500,
    exit: 1,
    title: "A bug in hype",
    remedy: "Look up the `ref` in the server's log and report it.",
  },
} as const satisfies Record<string, { status: number; exit: number; title: string; remedy: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** JSON-safe extras of an error: field issues, ids, limits. Never secrets: they cross the wire. */
export type ErrorDetails = Record<string, unknown>;

/** The only error domain code throws. `message` carries values and, where the table's remedy is too general, the remedy. */
export class HypeError extends Error {
  override readonly name = "HypeError";
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: ErrorDetails = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
  get status(): number {
    return ERRORS[this.code].status;
  }
  get exitCode(): number {
    return ERRORS[this.code].exit;
  }
}

export const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === "string" && Object.hasOwn(ERRORS, code);

/** What went wrong in one line, for logs and for `cause` chains; accepts anything that was thrown. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
