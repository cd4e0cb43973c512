import { Command, Option } from "clipanion";
import { HypeError } from "../../contract/errors.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { text, texts } from "../option.ts";

export class EgressSetCommand extends ServerCommand {
  static override paths = [["egress", "set"]];
  static override usage = Command.Usage({
    category: CATEGORY.vms,
    description: "Replace what a VM's guest may reach, at once",
    details: `
      The whole policy is replaced: what is not given is back at its default. \`--deny\` wins over \`--allow\`, and both over \`--mode\`. The host itself and other VMs stay closed whatever is allowed.

      Needs the slot network (\`hype setup\`).
    `,
    examples: [
      ["Public addresses only", "$0 egress set demo --mode internet"],
      ["One server and nothing else", "$0 egress set demo --mode none --allow 203.0.113.7:443"],
    ],
  });

  name = Option.String();
  mode = text("--mode", "mode", "internet (public addresses only), none or open; default internet");
  allow = texts("--allow", "cidr[:port]", "Reachable whatever the mode says; may be given several times");
  deny = texts("--deny", "cidr[:port]", "Never reachable; may be given several times");

  async execute(): Promise<void> {
    const { askedPolicy, egressDetails } = await import("./policy.ts");
    const policy = askedPolicy("--mode", this.mode, this.allow, this.deny);
    if (policy === undefined) throw new HypeError("usage", "name a policy: --mode, --allow or --deny");
    const client = await this.client();
    const egress = await client.vms.setEgress(this.name, policy);
    if (this.json) this.printJson(egress);
    else this.print(egressDetails(this.name, egress, this.context.paint.stdout));
  }
}
