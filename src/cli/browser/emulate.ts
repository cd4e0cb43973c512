import { Command, Option } from "clipanion";
import { HypeError } from "../../contract/errors.ts";
import type { OperationInput } from "../../client/types.ts";
import { wholeNumber, oneOf } from "../arguments/quantities.ts";
import { CATEGORY, readFully, ServerCommand } from "../command.ts";
import { flag, text, texts } from "../option.ts";
import { safeJson } from "../../text/sanitize.ts";

export class EmulateCommand extends ServerCommand {
  static override paths = [["emulate"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Make a VM's browser another device, place or network; without options: show what is emulated",
    details:
      "Holds for all tabs and those to come, or for --tab. Everything else there is: `hype call NAME emulate JSON`.",
    examples: [
      ["A phone", "$0 emulate demo --viewport 390x844 --scale 3 --mobile --touch"],
      ["In Berlin, in the dark", "$0 emulate demo --timezone Europe/Berlin --locale de-DE --color-scheme dark"],
      ["A slow phone network", "$0 emulate demo --network 200,1600,750 --cpu-slowdown 4"],
      ["As it was", "$0 emulate demo --reset"],
    ],
  });

  name = Option.String();
  viewport = text("--viewport", "WxH", "CSS pixels, as 390x844");
  scale = text("--scale", "number", "Device pixels per CSS pixel");
  mobile = flag("--mobile", "Lay out as on a phone");
  touch = flag("--touch", "A touch screen");
  userAgent = text("--user-agent", "text", "User agent; client hints follow it");
  locale = text("--locale", "tag", "BCP 47, as de-DE");
  timezone = text("--timezone", "name", "IANA name, as Europe/Berlin");
  geolocation = text("--geolocation", "lat,lon", "Degrees, as 52.52,13.4");
  colorScheme = text("--color-scheme", "scheme", "light or dark");
  reducedMotion = flag("--reduced-motion", "Pages are asked to move less");
  offline = flag("--offline", "No network for pages");
  network = text("--network", "ms,down,up", "A slower one: delay in ms, kbit/s down and up, as 200,1600,750");
  headers = texts("--header", "name: value", "Sent with every request; can be given several times");
  credentials = text(
    "--http-credentials",
    "user",
    "Answer to HTTP authentication; the password is read from standard input",
  );
  permissions = texts(
    "--permission",
    "name=setting",
    "As geolocation=granted (or denied, prompt); can be given several times",
  );
  cpuSlowdown = text("--cpu-slowdown", "factor", "4: a quarter of the speed");
  tab = text("--tab", "id", "Only this tab; default: all");
  reset = flag("--reset", "End all emulation");

  async execute(): Promise<void> {
    const changes = await this.#changes();
    const isChanging = Object.keys(changes).length > 0;
    if (this.reset && isChanging) throw new HypeError("usage", "--reset stands alone");
    const tab = this.tab === undefined ? {} : { tab: this.tab };
    const client = await this.client();
    const operation = this.reset ? "reset-emulation" : isChanging ? "emulate" : "get-emulation";
    const now = await client.browser.operate(this.name, operation, { ...changes, ...tab });
    if (this.json) return this.printJson(now);
    const settings = Object.entries(now.effective).filter(([, value]) => value !== null && value !== undefined);
    if (settings.length === 0) return this.print("nothing is emulated\n");
    this.print(settings.map(([name, value]) => `${name}: ${safeJson(value)}\n`).join(""));
  }

  /** @throws HypeError usage */
  async #changes(): Promise<Omit<OperationInput<"emulate">, "tab" | "timeout_ms">> {
    const given = <T>(value: string | undefined, parse: (text: string) => T) =>
      value === undefined ? null : parse(value);
    const all = {
      viewport: given(this.viewport, size),
      device_scale_factor: given(this.scale, (value) => number("--scale", value)),
      mobile: this.mobile || null,
      touch: this.touch || null,
      user_agent: this.userAgent ?? null,
      locale: this.locale ?? null,
      timezone: this.timezone ?? null,
      geolocation: given(this.geolocation, place),
      color_scheme: given(this.colorScheme, (value) => oneOf("--color-scheme", value, ["light", "dark"])),
      reduced_motion: this.reducedMotion ? "reduce" : null,
      offline: this.offline || null,
      network: given(this.network, slower),
      extra_headers: this.headers.length === 0 ? null : Object.fromEntries(this.headers.map(header)),
      http_credentials: this.credentials === undefined ? null : await this.#login(this.credentials),
      permissions: this.permissions.length === 0 ? null : this.permissions.map(permission),
      cpu_slowdown: given(this.cpuSlowdown, (value) => number("--cpu-slowdown", value)),
    };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
  }

  async #login(username: string): Promise<{ username: string; password: string }> {
    return { username, password: (await readFully(this.context.stdin)).replace(/\r?\n$/, "") };
  }
}

function size(value: string): { width: number; height: number } {
  const match = /^(\d{1,5})x(\d{1,5})$/i.exec(value);
  if (!match) throw new HypeError("usage", `--viewport ${JSON.stringify(value)}: expected WIDTHxHEIGHT, as 390x844`);
  return { width: Number(match[1]), height: Number(match[2]) };
}

function slower(value: string): { latency_ms: number; download_kbps: number; upload_kbps: number } {
  const [latency, down, up, ...more] = value.split(",");
  if (latency === undefined || down === undefined || up === undefined || more.length > 0)
    throw new HypeError("usage", `--network ${JSON.stringify(value)}: expected MS,DOWN,UP, as 200,1600,750`);
  const [latency_ms, download_kbps, upload_kbps] = [latency, down, up].map((part) =>
    wholeNumber("--network", part),
  ) as [number, number, number];
  return { latency_ms, download_kbps, upload_kbps };
}

function header(text: string): [string, string] {
  const match = /^([^:\s]+):\s*(.*)$/.exec(text);
  if (!match) throw new HypeError("usage", "--header: expected NAME: VALUE"); // what stands in it is not repeated
  return [match[1]!, match[2]!];
}

function permission(text: string) {
  const match = /^([a-z-]+)=(.*)$/.exec(text);
  if (!match) throw new HypeError("usage", `--permission ${JSON.stringify(text)}: expected NAME=granted`);
  return { name: match[1]!, setting: oneOf("--permission", match[2]!, ["granted", "denied", "prompt"]) };
}

function place(value: string): { latitude: number; longitude: number } {
  const match = /^(-?\d+(?:\.\d+)?),\s*(-?\d+(?:\.\d+)?)$/.exec(value);
  if (!match) throw new HypeError("usage", `--geolocation ${JSON.stringify(value)}: expected LATITUDE,LONGITUDE`);
  return { latitude: Number(match[1]), longitude: Number(match[2]) };
}

function number(flagName: string, value: string): number {
  if (!/^\d+(\.\d+)?$/.test(value))
    throw new HypeError("usage", `${flagName} ${JSON.stringify(value)}: expected a number`);
  return Number(value);
}
