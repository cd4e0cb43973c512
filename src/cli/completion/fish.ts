import type { CompletionNode } from "./words.ts";

const quote = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/** fish takes one `complete` line per choice, guarded by a condition on the words before. */
export function fish(nodes: CompletionNode[]): string {
  const known = nodes.map(({ path }) => path).filter(Boolean);
  const lines = nodes.flatMap((node) => {
    const when = `-n ${quote(`test "$(__hype_path)" = "${node.path}"`)}`;
    return [
      ...node.words.map(({ word, description }) => `complete -c hype -f ${when} -a ${word} -d ${quote(description)}`),
      ...(node.takesVm ? [`complete -c hype -f ${when} -a '(hype vms list -q 2>/dev/null)' -d VM`] : []),
      ...node.options.map(({ names, description, takesValue }) => {
        const forms = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
        return `complete -c hype ${when} ${forms.join(" ")}${takesValue ? " -r" : ""} -d ${quote(description)}`;
      }),
    ];
  });
  return `# hype completion for fish; made by \`hype completion fish\`
function __hype_path
  set -l line
  for word in (commandline -opc)[2..]
    string match -q -- '-*' $word; and continue
    set -l longer (string trim "$line $word")
    contains -- $longer ${known.map(quote).join(" ")}; and set line $longer
  end
  echo $line
end
${lines.join("\n")}
`;
}
