import type { CompletionNode } from "./words.ts";

/** Inside single quotes; `_describe` splits at the first colon. */
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const entry = (word: string, description: string): string => quote(`${word.replaceAll(":", "\\:")}:${description}`);

export function zsh(nodes: CompletionNode[]): string {
  const cases = nodes.map((node) => {
    const words = node.words.map(({ word, description }) => entry(word, description));
    const options = node.options.flatMap(({ names, description }) => names.map((name) => entry(name, description)));
    return `    ${quote(node.path)}) choices=(${words.join(" ")}); options=(${options.join(" ")}); vm=${node.takesVm ? 1 : 0} ;;`;
  });
  const known = nodes.map(({ path }) => path).filter(Boolean);
  return `#compdef hype
# hype completion for zsh; made by \`hype completion zsh\`
_hype() {
  local line="" word vm=0
  local -a choices options names known
  known=(${known.map(quote).join(" ")})
  for word in \${words[2,CURRENT-1]}; do
    [[ $word == -* ]] && continue
    (( \${known[(Ie)\${line:+$line }$word]} )) && line="\${line:+$line }$word"
  done
  case $line in
${cases.join("\n")}
  esac
  if (( vm )) && [[ $PREFIX != -* ]]; then
    names=(\${(f)"$(hype vms list -q 2>/dev/null)"})
    compadd -a names
  fi
  (( \${#choices} )) && _describe command choices
  (( \${#options} )) && [[ $PREFIX == -* ]] && _describe option options
  (( \${#choices} + vm )) || _files
}
if [[ "\${funcstack[1]}" == _hype ]]; then
  _hype "$@" # autoloaded from a directory of functions: this was the first call
else
  compdef _hype hype
fi
`;
}
