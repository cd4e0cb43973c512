import { usage } from "./command-fields.ts";

/** What a flag of the CLI is here. */
export type CliFlag =
  /** A field of the tool. */
  | string
  /** It is about a terminal or its files, and changes nothing of what is done. */
  | { skips: "value" | "nothing" }
  /** What it says, in the tool's own words; of a flag without a value when it takes none. */
  | { gives: Record<string, unknown> }
  | { from: (text: string) => Record<string, unknown> }
  /** It cannot be had here, and why. */
  | { no: string };

/** A command of the CLI that is a tool. */
export type CliTool = {
  tool: string;
  /** Its words in their order, without the VM's name. `…`: it takes the rest of the line; `?`: it may be left out. */
  places?: readonly string[];
  /** By their long names; those that are called as the tool's own fields are not told. */
  flags?: Readonly<Record<string, CliFlag>>;
  /** What the command says by itself. */
  given?: Readonly<Record<string, unknown>>;
  /** It takes several VMs: one call for each. */
  isForEach?: boolean;
  /** Where the tool wants its words in another shape. */
  shape?: (found: Record<string, unknown>) => Record<string, unknown>;
};
/** A command that has no meaning in a run, and what to do instead. */
export type CliElsewhere = { elsewhere: string };

const HERE = "a shell of the server's machine is the place for it";
const KEYS = "keys and the audit are no agent's business: HTTP and the CLI have them";
const FILES = "a run neither reads nor writes files of yours";
const no = (why: string): CliFlag => ({ no: why });
const skipsValue: CliFlag = { skips: "value" };
const skips: CliFlag = { skips: "nothing" };
const each = (tool: string): CliTool => ({ tool, isForEach: true });

/** What a file would be called says its format; the file itself comes with the result. */
const formatOf =
  (field: string, formats: Record<string, string>) =>
  (file: string): Record<string, unknown> => {
    const format = formats[file.slice(file.lastIndexOf(".") + 1).toLowerCase()];
    return format === undefined ? {} : { [field]: format };
  };
const PICTURES = { png: "png", jpg: "jpeg", jpeg: "jpeg", webp: "webp" };
const placeOf = (text: string): Record<string, unknown> => {
  const [latitude, longitude] = text.split(",").map(Number);
  return { geolocation: { latitude, longitude } };
};

const byId = (found: Record<string, unknown>): Record<string, unknown> => {
  if (String(found.id ?? "").includes(".")) throw usage("a download is named by its id here: /downloads list shows it");
  return found;
};

const scaleOf = (scale: string): Record<string, unknown> => {
  if (scale !== "css" && scale !== "device") throw usage("--scale is css or device here");
  return { scale };
};
const toElement = (found: Record<string, unknown>): Record<string, unknown> => {
  if (/^-?\d+,-?\d+$/.test(String(found.endTarget)))
    throw usage("/drag goes from element to element here; /browser mouse-drag-xy goes by places");
  return found;
};

/**
 * The CLI's commands by their words, and what they are here. Names and flags are the CLI's own: a test holds the table against its
 * definitions and tries its examples.
 */
export const CLI_COMMANDS: Readonly<Record<string, CliTool | CliElsewhere>> = {
  open: { tool: "browser_navigate", places: ["url"] },
  reload: { tool: "browser_reload" },
  back: { tool: "browser_navigate_back" },
  forward: { tool: "browser_navigate_forward" },
  snapshot: { tool: "browser_snapshot" },
  click: { tool: "browser_click", places: ["target"], flags: { double: "doubleClick" } },
  fill: { tool: "browser_type", places: ["target", "text…"] },
  press: { tool: "browser_press_key", places: ["key"], flags: { on: "target" } },
  select: { tool: "browser_select_option", places: ["target", "values"] },
  check: {
    tool: "browser_fill_form",
    places: ["target"],
    flags: { off: { gives: { value: "false" } } },
    shape: ({ target, value = "true", ...rest }) => ({ ...rest, fields: [{ target, type: "checkbox", value }] }),
  },
  type: { tool: "browser_type", places: ["text…"], flags: { on: "target" }, given: {} },
  focus: { elsewhere: "/press KEYS --on ELEMENT and /type TEXT --on ELEMENT do it on the way" },
  scroll: { tool: "browser_scroll", places: ["target?"], flags: { down: "dy", right: "dx" } },
  drag: { tool: "browser_drag", places: ["startTarget", "endTarget"], shape: toElement },
  "dialog answer": {
    tool: "browser_handle_dialog",
    places: ["answer"],
    flags: { prompt: "promptText" },
    shape: ({ answer, ...rest }) => ({ ...rest, accept: answer === "accept" }),
  },
  "dialog policy": { elsewhere: "/dialog answer accept, or dismiss, answers the one that is open" },
  cookies: { tool: "browser_cookie_list", flags: { values: skips } },
  "state clear": { tool: "browser_clear_state", flags: { part: "parts", origin: "origins" } },
  hover: { tool: "browser_hover", places: ["target"] },
  wait: { tool: "browser_wait_for" },
  screenshot: {
    tool: "browser_take_screenshot",
    flags: {
      output: { from: formatOf("type", PICTURES) },
      format: "type",
      element: "target",
      scale: { from: scaleOf },
    },
  },
  record: {
    tool: "browser_start_video",
    flags: {
      output: { from: formatOf("format", { webm: "webm", mkv: "mkv" }) },
      seconds: "max_seconds",
      force: skips,
      keep: skips, // films always are
    },
  },
  pdf: { tool: "browser_pdf_save", flags: { output: "filename", keep: skips } },
  eval: { tool: "browser_evaluate", places: ["function…"], flags: { raw: skips } },
  content: {
    tool: "page_markdown",
    flags: { format: { from: (format) => (format === "html" ? { format } : {}) } },
  },
  links: { tool: "page_links" },
  find: { tool: "browser_find", places: ["text…?"], flags: { regex: "regex" } },
  tabs: { tool: "browser_tabs", given: { action: "list" } },
  "tab open": { tool: "browser_tabs", places: ["url?"], given: { action: "new" } },
  "tab use": { tool: "browser_tabs", places: ["tab"], given: { action: "select" } },
  "tab close": { tool: "browser_tabs", places: ["tab"], given: { action: "close" } },
  emulate: {
    tool: "browser_emulate",
    flags: {
      geolocation: { from: placeOf },
      viewport: no("/browser resize WIDTH HEIGHT sets the size of the window"),
      reset: skips, // nothing given is the reset
    },
  },
  "rules add": {
    tool: "browser_route",
    places: ["pattern"],
    flags: {
      block: { gives: { action: "block" } },
      mock: { from: (body) => ({ action: "mock", body }) },
      type: "resourceTypes",
    },
  },
  "rules list": { tool: "browser_route_list" },
  "rules remove": { tool: "browser_unroute", places: ["ids"], flags: { all: no("/rules list names them") } },
  upload: { elsewhere: `${FILES}: /vms put-file NAME --text … makes one in the VM, /browser file-upload chooses it` },
  "uploads list": { elsewhere: FILES },
  "uploads delete": { elsewhere: FILES },
  "downloads list": { tool: "browser_downloads" },
  "downloads get": { tool: "browser_downloads", places: ["id?"], flags: { output: skipsValue }, shape: byId },
  "downloads wait": {
    tool: "browser_wait_for",
    given: { download: "*" },
    flags: { name: "download", output: skipsValue, force: skips },
  },
  "downloads keep": { tool: "artifact_keep_download", places: ["id"], shape: byId },
  "downloads delete": { elsewhere: "a download goes with its VM" },
  "state export": { tool: "browser_storage_state", flags: { output: skipsValue } },
  "state import": { elsewhere: `${FILES}: /browser set-storage-state takes the JSON itself` },
  "profiles save": { tool: "profile_save", flags: { as: "name" } },
  "profiles list": { tool: "profile_list" },
  "profiles get": { elsewhere: "/profiles list tells of all of them" },
  "profiles export": { elsewhere: FILES },
  "profiles import": { elsewhere: FILES },
  "profiles delete": { tool: "profile_delete", places: ["name"] },
  "profiles rotate-key": { elsewhere: KEYS },
  live: { tool: "vm_live_link", flags: { for: "label", open: skips } },
  "live list": { elsewhere: "links are listed over HTTP and by the CLI" },
  "live revoke": { elsewhere: "links are revoked over HTTP and by the CLI" },
  "artifacts list": { tool: "artifact_list", flags: { vm: "of" } },
  "artifacts get": { tool: "artifact_get", places: ["id"] },
  "artifacts download": { tool: "artifact_get", places: ["id"], flags: { output: skipsValue, force: skips } },
  "artifacts delete": { tool: "artifact_delete", places: ["id"] },
  "vms create": { tool: "vm_create", places: ["name?"], flags: { quiet: skips } },
  "vms list": { tool: "vm_list", flags: { quiet: skips } },
  "vms get": { tool: "vm_get" },
  "vms watch": { elsewhere: "it stands alone: /watch, or /watch NAME" },
  "vms logs": { tool: "vm_logs", flags: { follow: no("a run tells them once; /watch NAME tells what happens") } },
  "vms shell": { elsewhere: "it wants a terminal: hype vms shell NAME, or `!` in hype tui" },
  "vms stop": each("vm_stop"),
  "vms start": each("vm_start"),
  "vms restart": each("vm_restart"),
  "vms pause": each("vm_pause"),
  "vms resume": each("vm_resume"),
  "vms delete": { ...each("vm_delete"), flags: { yes: "confirm", all: no("name those that are to go") } },
  "vms resize": { elsewhere: "it is for HTTP and the CLI: /vms create takes --cpu and --memory" },
  "egress get": { elsewhere: "what guests may reach is set over HTTP and by the CLI" },
  "egress set": { elsewhere: "what guests may reach is set over HTTP and by the CLI" },
  "proxy get": { tool: "vm_proxy_get" },
  "proxy set": { tool: "vm_proxy_set", places: ["url"] },
  "proxy unset": { tool: "vm_proxy_set" },
  observe: { elsewhere: "/browser console-messages and /browser network-requests tell what a page did" },
  har: { elsewhere: "/browser network-requests lists them, /browser network-request ID shows one" },
  call: { elsewhere: 'a call is written {"tool": NAME, "arguments": {…}}' },
  cdp: { elsewhere: "its address is a secret for programs; /live NAME gives a person a link" },
  "image list": { tool: "image_list" },
  "image build": { elsewhere: HERE },
  "image inspect": { elsewhere: HERE },
  "image verify": { elsewhere: HERE },
  "image rm": { elsewhere: HERE },
  try: { elsewhere: "/vms create NAME, then /open URL, is the same here" },
  tui: { elsewhere: HERE },
  serve: { elsewhere: HERE },
  setup: { elsewhere: HERE },
  doctor: { elsewhere: HERE },
  completion: { elsewhere: HERE },
  licenses: { elsewhere: HERE },
  version: { elsewhere: "/status tells it" },
  mcp: { elsewhere: HERE },
  "mcp config": { elsewhere: HERE },
  "keys create": { elsewhere: KEYS },
  "keys list": { elsewhere: KEYS },
  "keys revoke": { elsewhere: KEYS },
  audit: { elsewhere: KEYS },
};

/** Flags that every command has. */
export const EVERYWHERE: Readonly<Record<string, CliFlag>> = {
  json: skips,
  api: no("a run is of the server it was sent to"),
  key: no("a run has the key it was sent with"),
};

/** The long names of one-letter flags. */
export const LETTERS: Readonly<Record<string, string>> = {
  f: "follow",
  n: "tail",
  o: "output",
  q: "quiet",
  r: "raw",
  y: "yes",
};

/** Other words for commands. */
export const SYNONYMS: Readonly<Record<string, string>> = {
  goto: "open",
  read: "content",
  status: "host_status",
};
