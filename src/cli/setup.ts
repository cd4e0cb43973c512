import { createInterface } from "node:readline/promises";
import { Command } from "clipanion";
import { HypeError } from "../contract/errors.ts";
import { CATEGORY, HypeCommand } from "./command.ts";
import { flag } from "./option.ts";
import { sanitizeLine } from "../text/sanitize.ts";

export class SetupCommand extends HypeCommand {
  static override paths = [["setup"]];
  static override usage = Command.Usage({
    category: CATEGORY.host,
    description: "Make this machine a browser cloud: user, directories, settings, network, systemd units",
    details: `
      Needs root. Run again it changes nothing; where a step fails, what this run changed is taken back. What it made is written down in /etc/overhyped/setup.json, and --uninstall takes back exactly that.

      OVERHYPED_* variables given to the first setup go into /etc/overhyped/hype.env; from then on that file is yours.
    `,
    examples: [
      ["Every file and command, without doing anything", "$0 setup --dry-run"],
      ["Do it", "sudo $0 setup"],
      ["Take it back, keep images, keys and database", "sudo $0 setup --uninstall"],
    ],
  });

  dryRun = flag("--dry-run", "Show every file and command and change nothing; needs no root");
  uninstall = flag("--uninstall", "Take back what setup made; data stay");
  purge = flag("--purge", "With --uninstall: data go too (database, keys, images, logs)");
  yes = flag("-y,--yes", "Do not ask: stop VMs that run, purge");

  async execute(): Promise<number> {
    if (this.purge && !this.uninstall) throw new HypeError("usage", "--purge goes with --uninstall");
    if (!this.dryRun && process.getuid?.() !== 0)
      throw new HypeError("root_required", "setup changes the machine: run it with sudo, or look first with --dry-run");
    return await (this.uninstall ? this.takeDown() : this.setUp());
  }

  private async setUp(): Promise<number> {
    const { planHere } = await import("./setup/plan-here.ts");
    const { foresee, needPrograms, runPlan } = await import("../setup/run-plan.ts");
    const { preflight } = await import("../setup/preflight.ts");
    const { config, program, steps: plan } = await planHere(this.context.env);
    const { notes, faults } = await preflight(config, program);
    const outlook = await foresee(plan);

    if (this.dryRun) {
      const { showOutlook } = await import("./setup/show.ts");
      if (this.json) this.printJson({ steps: outlook, notes, faults });
      else this.print(showOutlook(outlook, this.context.paint.stdout));
      this.remark([...notes, ...faults.map((fault) => `a real run would refuse: ${fault}`)]);
      return 0;
    }
    if (faults.length > 0) throw new HypeError("setup_failed", `${faults.join("; ")}. Nothing was changed`, { faults });
    needPrograms(outlook);
    this.remark(notes);

    const { SetupRecord } = await import("../setup/record.ts");
    using interrupts = this.context.catchInterrupts();
    const paint = this.context.paint.stdout;
    const steps = await runPlan(plan, SetupRecord.load(), {
      signal: interrupts.signal,
      onStep: ({ title, status }) => {
        if (this.json) return;
        this.print(status === "changed" ? `${paint.green("✓")} ${title}: changed\n` : `= ${title}: unchanged\n`);
      },
    });
    const { systemdRuns } = await import("../setup/actions/unit.ts");
    const byHand = systemdRuns()
      ? []
      : [...(config.network === "user" ? [] : [`${program} network up`]), `${program} serve`];
    if (this.json) this.printJson({ steps, notes, by_hand: byHand });
    else if (byHand.length > 0)
      this.print(
        `\nsystemd does not run here. Start by hand, as root:\n${byHand.map((line) => `  ${line}\n`).join("")}`,
      );
    else this.print(`\nThe server runs. Next: hype doctor, then hype image build, then hype vms create demo\n`);
    return 0;
  }

  private async takeDown(): Promise<number> {
    const { SetupRecord } = await import("../setup/record.ts");
    const { undoOrder, uninstall } = await import("../setup/uninstall.ts");
    const { takeNetworkDown } = await import("../setup/host/network-down.ts");
    const { actionLine, showUndo } = await import("./setup/show.ts");
    const record = SetupRecord.load();
    const paint = this.context.paint.stdout;
    if (this.dryRun) {
      const entries = undoOrder(record);
      if (this.json) this.printJson({ undo: entries });
      else this.print(entries.length === 0 ? "nothing of setup is here\n" : showUndo(entries, this.purge, paint));
      return 0;
    }
    const { planHere } = await import("./setup/plan-here.ts");
    const { config } = await planHere(this.context.env);
    const { endVms } = await import("./setup/end-vms.ts");
    if (this.purge) await this.consent("every image, key and database of hype on this machine will be removed");
    const vms = await endVms(config, this.context, { purge: this.purge, consent: (words) => this.consent(words) });
    const { remarks, faults } = await uninstall(record, {
      purge: this.purge,
      network: () => takeNetworkDown(config),
      onUndone: ({ action }) => this.json || this.print(`${paint.green("✓")} taken back: ${actionLine(action)}\n`),
    });
    if (this.json) this.printJson({ vms, remarks, faults });
    else this.remark(remarks);
    if (faults.length > 0)
      throw new HypeError("setup_failed", `not everything could be taken back: ${faults.join("; ")}. Run it again`, {
        faults,
      });
    return 0;
  }

  /** On standard error: standard output holds the plan or the result. */
  private remark(notes: string[]): void {
    const { stderr, paint } = this.context;
    for (const note of notes) stderr.write(`${paint.stderr.yellow("!")} ${sanitizeLine(note)}\n`);
  }

  /** @throws HypeError usage where nobody can be asked; cancelled when the answer is no */
  private async consent(words: string): Promise<void> {
    if (this.yes) return;
    const { stdin, stderr, terminal } = this.context;
    if (!terminal.stdin) throw new HypeError("usage", `${words}: add --yes to confirm; nothing was changed`);
    const asked = createInterface({ input: stdin, output: stderr });
    try {
      if (!/^y(es)?$/i.test((await asked.question(`${words}. Go on? [y/N] `)).trim()))
        throw new HypeError("cancelled", "nothing was changed");
    } finally {
      asked.close();
    }
  }
}
