/**
 * A few things people say, as the commands they mean. Small on purpose: whoever wants to be understood has a model do it.
 * Words are taken as they stand; only a name, an address or nothing may follow.
 */
const NAME = "([a-z0-9][a-z0-9-]*)";
const ON = `(?:\\s+(?:in|on|of|with)\\s+(?:the\\s+)?(?:vm\\s+|browser\\s+)?${NAME})?`;
const VM = "(?:vm|browser|machine)s?";

const quoted = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
const on = (name: string | undefined): string => (name ? ` --vm ${name}` : "");

const PHRASES: [RegExp, (match: RegExpExecArray) => string[]][] = [
  [new RegExp(`^(?:please\\s+)?(?:list|show)(?:\\s+me)?(?:\\s+(?:all|the|my))*\\s+${VM}$`), () => ["/vms list"]],
  [
    new RegExp(
      `^(?:create|make|boot|start)\\s+(?:a\\s+|another\\s+)?(?:new\\s+)?${VM}(?:\\s+(?:named|called))?\\s+${NAME}$`,
    ),
    ([, name]) => [`/vms create ${name}`],
  ],
  [new RegExp(`^(?:create|make|boot)\\s+(?:a\\s+|another\\s+)?(?:new\\s+)?${VM}$`), () => ["/vms create"]],
  [
    new RegExp(`^(delete|remove|stop|start|restart|pause|resume)\\s+(?:the\\s+)?(?:${VM}\\s+)?${NAME}$`),
    ([, verb, name]) => [`/vms ${verb === "remove" ? "delete" : verb} ${name}`],
  ],
  [
    new RegExp(`^(?:take\\s+|make\\s+|show\\s+)?(?:me\\s+)?(?:a\\s+)?(?:screenshot|picture)${ON}$`),
    ([, name]) => [`/screenshot${on(name)}`],
  ],
  [
    new RegExp(`^(?:read|what(?:'s| is)(?:\\s+on)?)\\s+(?:the\\s+|this\\s+)?page${ON}$`),
    ([, name]) => [`/read${on(name)}`],
  ],
  [/^(?:go\s+)?back$/, () => ["/browser navigate-back"]],
  [/^reload(?:\s+the\s+page)?$/, () => ["/browser reload"]],
  [/^(?:show\s+)?(?:host\s+)?status$/, () => ["/status"]],
  [
    new RegExp(`^(?:open|go\\s+to|visit|show)\\s+(\\S+)${ON}$`),
    ([, url, name]) => [`/open ${quoted(url as string)}${on(name)}`, `/screenshot${on(name)}`],
  ],
];

/** The commands a sentence means; null when it is none of ours. */
export function phraseCommands(text: string): string[] | null {
  const said = text
    .trim()
    .replace(/\s+/g, " ")
    .replace(/[.!?]+$/, "");
  if (said.length > 2_000) return null;
  for (const [pattern, commands] of PHRASES) {
    // Verbs in any case; an address keeps its own.
    const match = new RegExp(pattern.source, "i").exec(said);
    if (match) return commands(match);
  }
  return null;
}
