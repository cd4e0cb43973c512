import { Command, Option } from "clipanion";
import { oneOf } from "./arguments/quantities.ts";
import { CATEGORY, HypeCommand } from "./command.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

export class CompletionCommand extends HypeCommand {
  static override paths = [["completion"]];
  static override usage = Command.Usage({
    category: CATEGORY.host,
    description: "Print the completion script for bash, zsh or fish",
    examples: [
      ["bash, in ~/.bashrc", 'eval "$($0 completion bash)"'],
      ["zsh, in ~/.zshrc after compinit", 'eval "$($0 completion zsh)"'],
      ["fish", "$0 completion fish > ~/.config/fish/completions/hype.fish"],
    ],
  });

  shell = Option.String();

  async execute(): Promise<void> {
    const shell = oneOf("shell", this.shell, SHELLS);
    const { commandDefinitions } = await import("./definitions.ts");
    const { completionScript } = await import("./completion/script.ts");
    const script = completionScript(shell, commandDefinitions());
    if (this.json) this.printJson({ shell, script });
    else this.print(script);
  }
}
