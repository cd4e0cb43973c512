import { Command } from "clipanion";
import { type ListVmsQuery, VM_SORT_FIELDS } from "../../contract/vm.ts";
import { oneOf, wholeNumber } from "../arguments/quantities.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { flag, text, texts } from "../option.ts";
import { plural } from "../../text/units.ts";

const SORTS = VM_SORT_FIELDS.flatMap((field) => [field, `-${field}` as const]);

export class ListCommand extends ServerCommand {
  static override paths = [
    ["vms", "list"],
    ["vms", "ls"],
  ];
  static override usage = Command.Usage({
    category: CATEGORY.vms,
    description: "List VMs",
    examples: [
      ["The running ones, newest first", "$0 vms list --status running --sort=-created_at"],
      ["Names only, for scripts", "$0 vms list -q --label team=qa"],
    ],
  });

  status = text("--status", "status", "Only these: one status or several, comma-separated");
  labels = texts("--label", "key[=value]", "Only with this label; several must all match");
  sort = text("--sort", "field", `Order by ${VM_SORT_FIELDS.join(", ")}; --sort=-field turns it round`);
  limit = text("--limit", "count", "At most so many");
  quiet = flag("-q,--quiet", "Names only, one a line");

  async execute(): Promise<void> {
    const query: ListVmsQuery = {
      ...(this.status === undefined ? {} : { status: this.status }),
      ...(this.labels.length === 0 ? {} : { label: this.labels.join(",") }),
      ...(this.sort === undefined ? {} : { sort: oneOf("--sort", this.sort, SORTS) }),
      ...(this.limit === undefined ? {} : { limit: String(wholeNumber("--limit", this.limit)) }),
    };
    const client = await this.client();
    const page = await client.vms.list(query);
    if (this.json) return this.printJson(page);
    if (this.quiet) return this.print(page.items.map((vm) => `${vm.name}\n`).join(""));
    if (page.items.length === 0) return this.print("no VMs; `hype vms create NAME` makes one\n");
    const { vmTable } = await import("./show.ts");
    this.print(vmTable(page.items, this.context.paint.stdout));
    const more = page.total - page.items.length;
    if (more > 0) this.context.stderr.write(`${plural(more, "VM")} more: raise --limit\n`);
  }
}
