import { extname } from "node:path";
import { Command, Option } from "clipanion";
import type { Client } from "../../client/types.ts";
import { HypeError } from "../../contract/errors.ts";
import type { Recording } from "../../contract/recording.ts";
import { seconds, wholeNumber } from "../arguments/quantities.ts";
import { CATEGORY, resolvePath, ServerCommand } from "../command.ts";
import { flag, text } from "../option.ts";
import { mustBeNew, saveStream } from "../output/save-stream.ts";
import { bytes } from "../../text/units.ts";

/** One question for the end; asked again until it has come. */
const WAIT_MS = 60_000;
const WHY: Partial<Record<NonNullable<Recording["ended_by"]>, string>> = {
  tab_closed: "the tab was closed",
  max_mb: "it reached the size it may have",
  disk_full: "the guest has no more room",
  failed: "the guest could not go on",
};

export class RecordCommand extends ServerCommand {
  static override paths = [["record"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Record a tab as a film",
    details: `
      Until Ctrl-C, for the time given, or until the tab closes; then the film is saved here and leaves the guest.

      The format follows the file's ending: .webm (VP8) plays everywhere; .mkv (MJPEG) costs the guest no encoding and is larger.
    `,
    examples: [
      ["Until Ctrl-C, into demo.webm", "$0 record demo"],
      ["Half a minute", "$0 record demo --seconds 30 -o visit.webm"],
    ],
  });

  name = Option.String();
  output = text("-o,--output", "file", "Where to; default NAME.webm");
  force = flag("--force", "Overwrite a file that is there");
  length = text("--seconds", "duration", "How long: 30, 90s, 5m; default until Ctrl-C, 10 minutes at most");
  fps = text("--fps", "number", "Pictures a second at most; default 10");
  maxMb = text("--max-mb", "megabytes", "End when it is so large; default 100");
  keep = flag("--keep", "Keep it on the server's machine as well, see hype artifacts");
  tab = text("--tab", "id", "Tab to record; default: the one used last");

  async execute(): Promise<void> {
    const file = this.output ?? `${this.name}.webm`;
    const ending = extname(file).toLowerCase();
    if (ending !== ".webm" && ending !== ".mkv")
      throw new HypeError("usage", `${file}: a film is a .webm or .mkv file`);
    const path = resolvePath(this.context.cwd, file);
    if (!this.force) await mustBeNew(path);
    using interrupts = this.context.catchInterrupts();
    const client = await this.client();
    const { id } = await client.browser.operate(this.name, "start-recording", {
      format: ending === ".webm" ? "webm" : "mkv",
      ...(this.length === undefined ? {} : { max_seconds: seconds("--seconds", this.length) }),
      ...(this.fps === undefined ? {} : { fps: wholeNumber("--fps", this.fps) }),
      ...(this.maxMb === undefined ? {} : { max_mb: wholeNumber("--max-mb", this.maxMb) }),
      ...(this.tab === undefined ? {} : { tab: this.tab }),
    });
    await this.ended(client, id, interrupts.signal);
    let artifact: string | undefined;
    const recording = await client.browser.operate(
      this.name,
      "stop-recording", // also of one that has ended: this is what keeps it
      { id },
      { ...(this.keep ? { keep: true } : {}), onKept: (kept) => (artifact = kept) },
    );
    const film = await client.browser.recording(this.name, id);
    const size = await saveStream(path, film.bytes, this.force);
    await client.browser.operate(this.name, "delete-recording", { id });
    if (this.json) return this.printJson({ file, bytes: size, recording, ...(artifact && { artifact }) });
    const why = recording.ended_by && WHY[recording.ended_by];
    const length = (recording.duration_ms / 1000).toFixed(1);
    const kept = artifact ? `  kept as ${artifact}` : "";
    this.print(`${file}  ${bytes(size)}  ${length} s${why ? `  (ended early: ${why})` : ""}${kept}\n`);
  }

  /** Resolves when it has ended by itself, or at Ctrl-C. */
  private async ended(client: Client, id: string, interrupted: AbortSignal): Promise<void> {
    using progress = this.progress(this.json);
    progress.step(`recording ${this.name}, Ctrl-C ends it`);
    for (;;)
      try {
        const wait = { id, wait: true, timeout_ms: WAIT_MS };
        await client.browser.operate(this.name, "get-recording", wait, { signal: interrupted });
        return;
      } catch (thrown) {
        if (interrupted.aborted) return;
        if (!(thrown instanceof HypeError && thrown.code === "operation_timeout")) throw thrown;
      }
  }
}
