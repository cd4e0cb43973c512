import { Command } from "clipanion";
import type { AuditEntry } from "../contract/access.ts";
import { wholeNumber } from "./arguments/quantities.ts";
import { CATEGORY, ServerCommand } from "./command.ts";
import { text } from "./option.ts";
import { table } from "./output/table.ts";
import { duration } from "../text/units.ts";

export class AuditCommand extends ServerCommand {
  static override paths = [["audit"]];
  static override usage = Command.Usage({
    category: CATEGORY.access,
    description: "Show who changed what, and who was refused",
    details:
      "The newest entries, the last of them at the end. With --after everything since an entry already seen, oldest first.",
    examples: [
      ["What a key did", "$0 audit --by ci"],
      ["What was done to a VM", "$0 audit --vm demo --limit 20"],
    ],
  });

  who = text("--by", "name", "Only calls of this key: name or id, admin, environment or none");
  vm = text("--vm", "name", "Only calls that named this VM");
  limit = text("--limit", "count", "At most so many; default 100, at most 1000");
  after = text("--after", "seq", "Begin after this entry's number");

  async execute(): Promise<void> {
    const query = {
      ...(this.who === undefined ? {} : { key: this.who }),
      ...(this.vm === undefined ? {} : { vm: this.vm }),
      ...(this.limit === undefined ? {} : { limit: wholeNumber("--limit", this.limit) }),
      ...(this.after === undefined ? {} : { after: wholeNumber("--after", this.after) }),
    };
    const page = await (await this.client()).audit(query);
    if (this.json) return this.printJson(page);
    if (page.items.length === 0) return this.print("no entries\n");
    const paint = this.context.paint.stdout;
    const colour = ({ status }: AuditEntry) => (status < 400 ? paint.green : paint.red);
    this.print(
      table(
        [
          { title: "SEQ", value: (entry) => String(entry.seq), align: "right" },
          { title: "TIME", value: (entry) => entry.at.slice(0, 19).replace("T", " ") },
          { title: "KEY", value: (entry) => entry.key_name ?? entry.key_id },
          { title: "FROM", value: (entry) => entry.address ?? "-" },
          {
            title: "CALL",
            value: (entry) => `${entry.method} ${entry.path}${entry.calls > 1 ? ` (${entry.calls} times)` : ""}`,
          },
          {
            title: "STATUS",
            value: (entry) => String(entry.status),
            align: "right",
            paint: (cell, entry) => colour(entry)(cell),
          },
          { title: "TOOK", value: (entry) => duration(entry.duration_ms), align: "right" },
          { title: "ERROR", value: (entry) => entry.error ?? "" },
        ],
        page.items,
        paint.bold,
      ),
    );
    if (page.next !== null) this.context.stderr.write(`there is more: --after ${page.next}\n`);
  }
}
