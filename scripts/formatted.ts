/** Text as `bun fmt` would leave it, so that generated files pass the format check. @param path decides the language */
export async function formatted(path: string, text: string): Promise<string> {
  const formatter = Bun.spawn([process.execPath, "fmt", "--stdin-filepath", path], {
    stdin: Buffer.from(text),
    stdout: "pipe",
    stderr: "inherit",
  });
  const output = await new Response(formatter.stdout).text();
  if ((await formatter.exited) !== 0) throw new Error(`${path} cannot be formatted`);
  return output;
}
