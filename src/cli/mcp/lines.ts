/** Longest line that is still read, characters: who sent one that is too long is told which it was. */
const MOST = 64 * 1024 * 1024;

/** Text as lines, without their ends; empty ones are left out. A line over all bounds comes as null, once. */
export async function* linesOf(stream: AsyncIterable<unknown>, most = MOST): AsyncGenerator<string | null> {
  const decoder = new TextDecoder();
  let pieces: string[] = [];
  let length = 0;
  const keep = (text: string) => {
    length += text.length;
    if (length <= most) pieces.push(text);
    else pieces = [];
  };
  const taken = (): string | null => {
    const line = length > most ? null : pieces.join("").replace(/\r$/, "");
    pieces = [];
    length = 0;
    return line;
  };
  for await (const piece of stream) {
    const [first = "", ...rest] = decoder.decode(Buffer.from(piece as Uint8Array), { stream: true }).split("\n");
    keep(first);
    for (const text of rest) {
      const line = taken();
      if (line !== "") yield line;
      keep(text);
    }
  }
  const last = taken();
  if (last !== "") yield last;
}

/** The data of server-sent events (HTML standard, section 9.2), as they come. */
export async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let data: string[] = [];
  let rest = "";
  const decoder = new TextDecoder();
  for await (const piece of body) {
    rest += decoder.decode(piece, { stream: true });
    const lines = rest.split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines)
      if (line === "") {
        if (data.length > 0) yield data.join("\n");
        data = [];
      } else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
  }
}
