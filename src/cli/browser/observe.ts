import { Command, Option } from "clipanion";
import { type DownloadEntry, ENTRY_KINDS, type Entry, OBSERVED } from "../../contract/observe.ts";
import { oneOf } from "../arguments/quantities.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { flag, text } from "../option.ts";
import { sanitizeLine } from "../../text/sanitize.ts";
import { bytes } from "../../text/units.ts";
import { shorten } from "../output/shorten.ts";

export class ObserveCommand extends ServerCommand {
  static override paths = [["observe"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Record and show what pages do: console, exceptions, requests, sockets, dialogs, tabs, downloads",
    details:
      "Recording begins with the first call and goes on until --stop; `hype har` writes the requests into a file. Tabs and downloads " +
      "are recorded always.",
    examples: [
      ["What happened so far", "$0 observe demo"],
      ["Console and exceptions as they come", "$0 observe demo --kinds console,exception --follow"],
      ["Tabs and downloads, as JSON lines", "$0 observe demo --kinds tab,download --follow --json"],
    ],
  });

  name = Option.String();
  kinds = text("--kinds", "list", `Comma-separated, of ${ENTRY_KINDS.join(", ")}; default all`);
  tab = text("--tab", "id", "Only this tab");
  follow = flag("-f,--follow", "Go on until interrupted");
  stop = flag("--stop", "End recording; what was recorded stays");

  async execute(): Promise<void> {
    const kinds = this.kinds?.split(",").map((kind) => oneOf("--kinds", kind.trim(), ENTRY_KINDS));
    const recorded = OBSERVED.filter((kind) => kinds?.includes(kind) ?? true);
    const tab = this.tab === undefined ? {} : { tab: this.tab };
    const client = await this.client();
    if (this.stop) {
      await client.browser.operate(this.name, "stop-observing", { kinds: recorded, ...tab });
      return this.json ? this.printJson({}) : this.print("recording ended\n");
    }
    await client.browser.operate(this.name, "start-observing", { kinds: recorded, ...tab });
    const wanted = { ...(kinds && { kinds }), ...tab };
    if (!this.follow) {
      const list = await client.browser.operate(this.name, "list-entries", wanted);
      if (this.json) return this.printJson(list);
      if (list.items.length === 0) return this.print("nothing yet; --follow waits for it\n");
      this.print(list.items.map(line).join(""));
      if (list.dropped > 0) this.context.stderr.write(`${list.dropped} older entries had no room\n`);
      return;
    }
    using interrupts = this.context.catchInterrupts();
    for await (const entry of client.browser.entries(this.name, { ...wanted, signal: interrupts.signal }))
      if (this.json) this.printJson(entry);
      else this.print(line(entry));
  }
}

function line(entry: Entry): string {
  const at = new Date(entry.time).toISOString().slice(11, 23);
  return `${at}  ${sanitizeLine(shorten(words(entry), 300))}\n`;
}

function words(entry: Entry): string {
  switch (entry.kind) {
    case "console":
      return `${entry.level}: ${entry.text}  ${entry.url}:${entry.line}`;
    case "exception":
      return `exception: ${entry.text}`;
    case "request":
      return `${entry.method} ${entry.url}  ${entry.error ?? entry.status ?? entry.state}`;
    case "websocket":
      return `socket ${entry.event} ${entry.url}  ${entry.text ?? `${entry.bytes} bytes`}`;
    case "dialog":
      return `${entry.type} (${entry.state}): ${entry.message}`;
    case "tab":
      return `tab ${entry.tab} ${entry.event}: ${entry.url}  ${entry.title}`;
    case "download":
      return `download ${entry.name} (${entry.state})  ${entry.error ?? amount(entry)}  ${entry.id}`;
  }
}

const amount = ({ state, received_bytes, total_bytes }: DownloadEntry): string =>
  state === "in_progress" && total_bytes !== null
    ? `${bytes(received_bytes)} of ${bytes(total_bytes)}`
    : bytes(received_bytes);
