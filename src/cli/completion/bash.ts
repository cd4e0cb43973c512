import type { CompletionNode } from "./words.ts";

const choices = (node: CompletionNode): string =>
  [...node.words.map(({ word }) => word), ...node.options.flatMap(({ names }) => names)].join(" ");

const valued = (nodes: CompletionNode[]): string =>
  [...new Set(nodes.flatMap(({ options }) => options.filter((o) => o.takesValue).flatMap((o) => o.names)))].join("|");

/** The line's words without options and their values lead to the node: `vms create`, or `vms` while it is not chosen yet. */
export function bash(nodes: CompletionNode[]): string {
  const cases = nodes.map((node) => `    "${node.path}") words="${choices(node)}"; vm=${node.takesVm ? 1 : 0} ;;`);
  return `# hype completion for bash; made by \`hype completion bash\`
_hype() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" words="" vm=0 index word
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
    ${valued(nodes)}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "$word" in -*) continue ;; esac
    case " ${nodes
      .map(({ path }) => path.replaceAll(" ", "+"))
      .filter(Boolean)
      .join(" ")} " in
      *" \${path:+$path+}$word "*) path="\${path:+$path+}$word" ;;
    esac
  done
  case "\${path//+/ }" in
${cases.join("\n")}
  esac
  if [ "$vm" = 1 ] && [ "\${current:0:1}" != "-" ]; then words="$words $(hype vms list -q 2>/dev/null)"; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _hype hype
`;
}
