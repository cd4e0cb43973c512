import { Command, Option } from "clipanion";
import { HypeError } from "../../contract/errors.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { INTERRUPTED } from "../interrupts.ts";

export class ShellCommand extends ServerCommand {
  static override paths = [["vms", "shell"]];
  static override usage = Command.Usage({
    category: CATEGORY.vms,
    description: "Open a shell in a VM, or run a command there",
    details: `
      You are root in the guest, which has BusyBox's commands. ctrl-] leaves; what you started there ends with it.

      When standard input and output are a terminal, the command has one too. Otherwise they are pipes, for scripts: input and output pass
      as they are, standard error apart. It ends with the command's exit code; 128 and the signal's number where one ended it. --json is
      not for it: what comes are the command's own bytes.
    `,
    examples: [
      ["A terminal in the guest", "$0 vms shell demo"],
      ["One command", "$0 vms shell demo -- cat /etc/os-release"],
      ["A script", "echo 'uname -r; free -m' | $0 vms shell demo"],
    ],
  });

  name = Option.String();
  command = Option.Rest({ name: "command" });

  async execute(): Promise<number> {
    if (this.json)
      throw new HypeError("usage", "--json is not for a shell: its output is the command's own", {
        remedy: "Leave it out; `-- COMMAND` runs one command.",
      });
    const { stdin, stdout, stderr, terminal, paint } = this.context;
    const client = await this.client();
    const { attachPipes, runShell } = await import("../shell/attach.ts");
    const { command } = this;
    if (terminal.stdin && terminal.stdout) {
      const code = await runShell(client, this.name, command, { input: stdin, output: stdout }, this.context);
      if (code === null) stderr.write(`\n${paint.stderr.dim(`left ${this.name}`)}\n`);
      return code ?? 0;
    }
    using interrupts = this.context.catchInterrupts();
    try {
      const shell = await client.vms.shell(this.name, { command, terminal: null }, { signal: interrupts.signal });
      return await attachPipes(shell, { input: stdin, output: stdout, error: stderr, terminal });
    } catch (thrown) {
      if (interrupts.signal.aborted) return INTERRUPTED;
      throw thrown;
    }
  }
}
