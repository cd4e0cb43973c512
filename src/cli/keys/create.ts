import { Command, Option } from "clipanion";
import { labels, oneOf, seconds } from "../arguments/quantities.ts";
import { HypeError } from "../../contract/errors.ts";
import { CATEGORY, ServerCommand } from "../command.ts";
import { text, texts } from "../option.ts";

const SCOPES = ["read", "operate", "admin"] as const;

export class KeysCreateCommand extends ServerCommand {
  static override paths = [["keys", "create"]];
  static override usage = Command.Usage({
    category: CATEGORY.access,
    description: "Make an API key and print it, this once",
    details: `
      \`read\` looks at VMs, events and logs; \`operate\` also creates, starts, stops and deletes VMs and drives their browsers; \`admin\` also makes keys and reads the audit.

      With --vm or --label the key sees and makes only such VMs; all others do not exist for it.

      Standard output is the key alone, so that it can go into a file; what to know about it goes to standard error.
    `,
    examples: [
      ["For a CI that owns the VMs named ci-*", "$0 keys create ci --vm 'ci-*' --expires 30d > ci.key"],
      ["For a dashboard", "$0 keys create dashboard --scope read --rate 120/min"],
    ],
  });

  name = Option.String();
  scope = text("--scope", "scope", "read, operate or admin; default operate");
  vms = texts("--vm", "pattern", "Only VMs of this name, * stands for any text; may be given several times");
  labels = texts("--label", "key=value", "Only VMs with this label; several must all match");
  expires = text("--expires", "when", "A duration such as 30d or 12h, or an ISO 8601 time; default: never");
  rate = text("--rate", "count/min", "Calls per minute; default: not limited");

  async execute(): Promise<void> {
    const restriction = { vms: this.vms, labels: labels("--label", this.labels) };
    const input = {
      name: this.name,
      ...(this.scope === undefined ? {} : { scope: oneOf("--scope", this.scope, SCOPES) }),
      ...(this.vms.length + this.labels.length === 0 ? {} : { restriction }),
      ...(this.expires === undefined ? {} : { expires_at: expiry(this.expires) }),
      ...(this.rate === undefined ? {} : { rate_per_minute: perMinute(this.rate) }),
    };
    const client = await this.client();
    const created = await client.keys.create(input);
    if (this.json) return this.printJson(created);
    this.print(`${created.key}\n`);
    const until = created.expires_at === null ? "until it is revoked" : `until ${created.expires_at}`;
    this.context.stderr.write(
      `The key ${created.name} (${created.scope}) holds ${until}. It is not shown again: keep it now, and use it with --key or OVERHYPED_API_KEY.\n`,
    );
  }
}

/** @throws HypeError usage */
function expiry(text: string): string {
  if (!text.includes("-")) return new Date(Date.now() + seconds("--expires", text) * 1000).toISOString();
  const atMs = Date.parse(text);
  if (Number.isNaN(atMs))
    throw new HypeError(
      "usage",
      `--expires ${JSON.stringify(text)}: expected a duration such as 30d, or an ISO 8601 time`,
    );
  return new Date(atMs).toISOString();
}

/** `120/min` or `120`. @throws HypeError usage */
function perMinute(text: string): number {
  const count = /^(\d{1,7})(\/min)?$/.exec(text)?.[1];
  if (count === undefined)
    throw new HypeError("usage", `--rate ${JSON.stringify(text)}: expected calls per minute such as 120/min`);
  return Number(count);
}
