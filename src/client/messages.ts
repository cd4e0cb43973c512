export type Message = { id: string | null; event: string; data: string };

/** Messages of a server-sent event stream (HTML standard, section 9.2.6), comments included as messages without data. */
export async function* messagesOf(pieces: AsyncIterable<string>): AsyncGenerator<Message> {
  let rest = "";
  for await (const piece of pieces) {
    rest += piece;
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
      const message: Message = { id: null, event: "message", data: "" };
      for (const line of rest.slice(0, end).split("\n")) {
        const [, field, value = ""] = /^(id|event|data):? ?(.*)$/.exec(line) ?? [];
        if (field) message[field as keyof Message] = value;
      }
      rest = rest.slice(end + 2);
      yield message;
    }
  }
}
