/** Longest line taken, characters: the largest body the server takes, and room. */
const MOST = 4 * 1024 * 1024;

/** Text as lines, without their ends; empty ones are left out. A line that is too long comes as null, once. */
export async function* linesOf(stream: AsyncIterable<unknown>): AsyncGenerator<string | null> {
  const decoder = new TextDecoder();
  let rest = "";
  let isSkipping = false;
  for await (const piece of stream) {
    rest += decoder.decode(Buffer.from(piece as Uint8Array), { stream: true });
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      const line = rest.slice(0, end).replace(/\r$/, "");
      rest = rest.slice(end + 1);
      if (!isSkipping && line !== "") yield line;
      isSkipping = false;
    }
    if (rest.length <= MOST) continue;
    if (!isSkipping) yield null;
    isSkipping = true;
    rest = "";
  }
  if (rest !== "" && !isSkipping) yield rest;
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
