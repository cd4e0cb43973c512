const MAX_BYTES = 255;
const encoder = new TextEncoder();

/** The names files have in the VM: plain, not too long for a disk, and no two alike, whatever they are called here. */
export function plainNames(names: string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const plain = plainName(name);
    let own = plain;
    for (let count = 2; taken.has(own); count++) own = marked(plain, ` (${count})`);
    taken.add(own);
    return own;
  });
}

function plainName(name: string): string {
  // oxlint-disable-next-line no-control-regex
  const plain = name.toWellFormed().replace(/[/\\\u0000-\u001f\u007f]/g, "_");
  return marked(/^\.*$/.test(plain) ? "file" : plain, "");
}

/** With `mark` before the ending; shortened at the end of what stands before it. */
function marked(name: string, mark: string): string {
  const dot = name.lastIndexOf(".");
  const ending = dot > 0 && name.length - dot <= 16 ? name.slice(dot) : "";
  let stem = [...name.slice(0, name.length - ending.length)];
  while (encoder.encode(stem.join("") + mark + ending).length > MAX_BYTES) stem = stem.slice(0, -1);
  return stem.join("") + mark + ending;
}
