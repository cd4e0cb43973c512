/** Edits that make one word of the other, counting a swap of neighbours as one (optimal string alignment); stops over `most`. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let cost = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      next.push(cost);
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? most + 1;
}

/** Names that were probably meant, best first: parts in another order (`create_vm`), a missing prefix (`click`), or a slip of the pen. */
export function nearMisses(wanted: string, names: readonly string[], most = 3): string[] {
  const asked = wanted
    .slice(0, 100)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_");
  const parts = (name: string) => name.split("_").sort().join("_");
  const scored = names.map((name) => {
    if (parts(name) === parts(asked)) return { name, score: 0 };
    if (name.endsWith(`_${asked}`) || asked.endsWith(`_${name}`) || name.startsWith(`${asked}_`))
      return { name, score: 1 };
    if (asked.split("_").every((part) => name.split("_").includes(part))) return { name, score: 2 };
    return { name, score: 1 + distance(asked, name, 4) };
  });
  return scored
    .filter(({ score }) => score <= 4)
    .sort((a, b) => a.score - b.score)
    .slice(0, most)
    .map(({ name }) => name);
}
