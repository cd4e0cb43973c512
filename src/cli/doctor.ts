import { Command } from "clipanion";
import type { Config } from "../config/load.ts";
import { HypeError } from "../contract/errors.ts";
import type { Finding, Surroundings } from "../setup/doctor/check.ts";
import { CATEGORY, ServerCommand } from "./command.ts";
import { sanitizeLine } from "../text/sanitize.ts";
import { pad } from "./output/table.ts";
import { bytes, plural } from "../text/units.ts";

const ANSWER_DEADLINE_MS = 3_000;

export class DoctorCommand extends ServerCommand {
  static override paths = [["doctor"]];
  static override usage = Command.Usage({
    category: CATEGORY.host,
    description: "Check what this machine has and lacks",
    details: "Installs and repairs nothing. Ends with 1 when something will not work.",
  });

  async execute(): Promise<number> {
    const config = await this.serverConfig();
    const { examine } = await import("../setup/doctor/examine.ts");
    using progress = this.progress(!this.context.terminal.stderr);
    progress.step("Examining this machine");
    const findings = await examine(this.surroundings(config));
    progress[Symbol.dispose]();
    const failed = findings.filter(({ status }) => status === "fail").length;
    if (this.json) this.printJson({ ok: failed === 0, checks: findings });
    else this.tell(findings, failed);
    return failed === 0 ? 0 : 1;
  }

  private surroundings(config: Config): Surroundings {
    return {
      config,
      driver: async () => {
        const { openDriver } = await import("../hypervisor/choose.ts");
        const { silentLog } = await import("../log/log.ts");
        const image = await this.bootable(config);
        const { wantsSlots } = await import("../setup/doctor/check.ts");
        const networkMode = wantsSlots(config) ? "slot" : "user";
        return await openDriver({
          config,
          log: silentLog,
          kernel: config.kernel ?? image?.kernel ?? null,
          networkMode,
        });
      },
      defaultImage: async () => {
        const image = await this.bootable(config);
        if (!image) return null;
        const { manifest } = image;
        const size = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
        const summary = `${manifest.format}, Chromium ${manifest.chromium_version}, ${bytes(size)}`;
        return { id: manifest.id, bytes: size, summary };
      },
      server: async () => await this.askServer(config),
      rows: async () => (await import("./doctor/rows.ts")).rowsOf(config.dbPath),
      openChanges: async () => (await import("./setup/plan-here.ts")).openChanges(this.context.env),
    };
  }

  /** @throws HypeError server_unreachable also where something listens and says nothing: it is no server of ours */
  private async askServer(config: Config) {
    const signal = AbortSignal.timeout(ANSWER_DEADLINE_MS);
    try {
      return await (await this.client()).system.status({ signal });
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
      const words = `no answer from ${config.apiBase} within ${ANSWER_DEADLINE_MS / 1000} s`;
      throw new HypeError("server_unreachable", words, {}, { cause: thrown });
    }
  }

  /** The default image with every file checked; null when there is no image at all. @throws HypeError image_invalid */
  private async bootable(config: Config) {
    const { openImages } = await import("./image/room.ts");
    const images = await openImages(config);
    return (await images.list()).length === 0 ? null : await images.resolve(null);
  }

  private tell(findings: Finding[], failed: number): void {
    const paint = this.context.paint.stdout;
    const marks = { ok: paint.green("✓"), note: paint.blue("i"), warn: paint.yellow("!"), fail: paint.red("✗") };
    const width = Math.max(...findings.map(({ id }) => id.length));
    for (const { id, status, seen, why, remedy } of findings) {
      this.print(`${marks[status]} ${pad(id, width)}  ${sanitizeLine(seen)}\n`);
      if (status === "ok") continue;
      this.print(`  ${" ".repeat(width)}  ${paint.dim(`${sanitizeLine(why)}.`)}\n`);
      if (remedy) this.print(`  ${" ".repeat(width)}  ${paint.bold("remedy")}: ${sanitizeLine(remedy)}\n`);
    }
    if (failed === 0) this.print(`\n${paint.green("hype works on this machine.")}\n`);
    else
      this.print(`\n${paint.red(`${plural(failed, "check")} failed:`)} mend ${failed === 1 ? "it" : "them"} first.\n`);
  }
}
