import { Command, Option } from "clipanion";
import type { Client } from "../client/types.ts";
import type { Navigated } from "../contract/browser.ts";
import type { Vm } from "../contract/vm.ts";
import { pageUrl } from "./arguments/page-url.ts";
import { CATEGORY, resolvePath, ServerCommand } from "./command.ts";
import { flag, text } from "./option.ts";
import { pngSize } from "./output/picture-size.ts";
import { sanitizeLine } from "../text/sanitize.ts";
import { shorten } from "./output/shorten.ts";
import { pairs } from "./output/table.ts";
import { bytes, duration } from "../text/units.ts";
import { writeOutput } from "./output/write-output.ts";

/** The first page of a browser that was just emulated into being takes its time. */
const PATIENCE_MS = 300_000;

type Timing = { step: string; ms: number };
type Picture = { file: string; bytes: number; width: number | null; height: number | null };

export class TryCommand extends ServerCommand {
  static override paths = [["try"]];
  static override usage = Command.Usage({
    category: CATEGORY.browser,
    description: "Boot a VM, open a page, save a picture of it, tidy up",
    details: `
      Needs nothing running: it uses the server of this machine, or brings its own for the duration, and builds an image where there is none.

      Without a URL it opens a page that ships with hype, so it works offline.
    `,
    examples: [
      ["The whole way, offline", "$0 try"],
      ["A page of yours, and keep the VM", "$0 try https://example.com --keep"],
    ],
  });

  url = Option.String({ required: false });
  output = text("-o,--output", "file", "Where the picture goes; default try.png");
  keep = flag("--keep", "Leave the VM running");

  async execute(): Promise<void> {
    const { findPlace } = await import("./try/place.ts");
    const { bootVm, deleteIfThere } = await import("./vms/boot.ts");
    const config = await this.serverConfig();
    const timings: Timing[] = [];
    const timed = async <Result>(step: string, work: () => Promise<Result>): Promise<Result> => {
      const begin = performance.now();
      const result = await work();
      timings.push({ step, ms: Math.round(performance.now() - begin) });
      return result;
    };

    using interrupts = this.context.catchInterrupts();
    using progress = this.progress();
    const { signal } = interrupts;
    await using place = await timed("prepare", () => findPlace(config, this.context, progress, signal));
    const { client } = place;
    const name = `try-${crypto.randomUUID().slice(0, 8)}`;
    const { host } = await client.system.status();
    const wish = { name, cpu_cores: Math.min(2, host.cpu_cores) };
    const vm = await timed("boot", () => bootVm(client, wish, { progress, signal }));
    let page: Navigated;
    let picture: Picture;
    try {
      progress.step("Opening the page");
      page = await timed("open", () => this.open(client, name, signal));
      progress.done(`Opened ${page.title || "the page"}`);
      progress.step("Taking a picture");
      picture = await timed("screenshot", () => this.takePicture(client, name, signal));
      progress.done(`Saved ${picture.file}`);
    } finally {
      if (!this.keep) {
        progress.step(`Deleting ${name}`);
        await timed("delete", () => deleteIfThere(client, vm.id));
        progress.done(`Deleted ${name}`);
      }
    }
    this.tell({ vm, page, picture, timings, startedHere: place.startedHere });
  }

  private async open(client: Client, name: string, signal: AbortSignal): Promise<Navigated> {
    const { DEMO_PAGE_URL } = await import("./try/demo-page.ts");
    const url = this.url === undefined ? DEMO_PAGE_URL : pageUrl(this.url);
    return await client.browser.navigate(name, { url, timeout_ms: PATIENCE_MS }, { signal });
  }

  private async takePicture(client: Client, name: string, signal: AbortSignal): Promise<Picture> {
    const file = this.output ?? "try.png";
    const picture = await client.browser.screenshot(name, { format: "png", timeout_ms: PATIENCE_MS }, { signal });
    await writeOutput(resolvePath(this.context.cwd, file), picture);
    return { file, bytes: picture.length, ...(pngSize(picture) ?? { width: null, height: null }) };
  }

  private tell(done: { vm: Vm; page: Navigated; picture: Picture; timings: Timing[]; startedHere: boolean }): void {
    const { vm, page, picture, timings } = done;
    const url = this.url === undefined ? "the page that ships with hype" : page.url;
    if (this.json)
      return this.printJson({
        vm: {
          name: vm.name,
          accelerator: vm.accelerator,
          boot_ms: vm.boot_ms,
          memory_mb: vm.memory_mb,
          image: vm.image,
        },
        page: { title: page.title, status: page.status, url: this.url === undefined ? null : page.url },
        screenshot: picture,
        timings,
        kept: this.keep,
      });
    const paint = this.context.paint.stdout;
    const size = picture.width === null ? "" : `${picture.width} x ${picture.height} pixels, `;
    const machine = vm.accelerator === "kvm" ? "KVM" : "software emulation";
    this.print(`\n${paint.bold("A browser ran in its own microVM.")}\n\n`);
    this.print(
      pairs(
        [
          ["  page", page.title || "(no title)"],
          ["  address", shorten(url, 100)],
          ["  picture", `${picture.file}, ${size}${bytes(picture.bytes)}`],
          ["  machine", `${vm.cpu_cores} cpu, ${vm.memory_mb} MB, ${vm.hypervisor ?? "?"} with ${machine}`],
          ["  times", timings.map(({ step, ms }) => `${step} ${duration(ms)}`).join(", ")],
        ],
        paint.dim,
      ),
    );
    this.print(`\n${this.nextSteps(vm, done.startedHere)}\n`);
  }

  private nextSteps(vm: Vm, startedHere: boolean): string {
    const serve = startedHere ? "`hype serve`, then " : "";
    if (this.keep)
      return `${sanitizeLine(vm.name)} runs on. Next: ${serve}\`hype cdp ${vm.name}\`, and \`hype vms delete ${vm.name}\`.`;
    return `Next: ${serve}\`hype vms create demo\` and \`hype open demo https://example.com\`.`;
  }
}
