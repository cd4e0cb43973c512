/** What the endpoint does with one request: pieces of an answer, or misbehaviour on order. */
export type Turn = {
  status?: number;
  contentType?: string;
  /** Objects are sent as `data:` lines, texts as they stand. */
  pieces?: (object | string)[];
  /** Nothing more is sent, and the connection is held. */
  stalls?: boolean;
};
export type ScriptedModel = Disposable & {
  baseUrl: string;
  /** Bodies and keys it was asked with. */
  asked: { body: any; key: string | null }[];
  /** Resolves when the nth request (from 0) was given up by the caller. */
  left: PromiseWithResolvers<void>;
  begun: PromiseWithResolvers<void>;
};

const chunk = (delta: object, more: object = {}) => ({ choices: [{ index: 0, delta, finish_reason: null, ...more }] });
export const says = (...texts: string[]): object[] => texts.map((content) => chunk({ content }));
export const thinks = (text: string): object => chunk({ reasoning_content: text });
export const calls = (index: number, name: string, ...pieces: string[]): object[] => [
  chunk({ tool_calls: [{ index, id: `x${index}`, function: { name, arguments: "" } }] }),
  ...pieces.map((piece) => chunk({ tool_calls: [{ index, function: { arguments: piece } }] })),
];
export const ends = (reason: string, prompt = 10, completion = 5): (object | string)[] => [
  chunk({}, { finish_reason: reason }),
  { choices: [], usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion } },
  "data: [DONE]\n\n",
];

/** An OpenAI-compatible endpoint that says what it was told to, one turn a request. */
export function scriptedModel(turns: Turn[]): ScriptedModel {
  const asked: ScriptedModel["asked"] = [];
  const left = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const turn = turns[asked.length] ?? { status: 500 };
      asked.push({ body: await request.json(), key: request.headers.get("authorization") });
      if (new URL(request.url).pathname !== "/v1/chat/completions") return new Response("no", { status: 404 });
      const { status = 200, contentType = "text/event-stream", pieces = [], stalls } = turn;
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          for (const piece of pieces)
            controller.enqueue(
              new TextEncoder().encode(typeof piece === "string" ? piece : `data: ${JSON.stringify(piece)}\n\n`),
            );
          begun.resolve();
          if (!stalls) controller.close();
        },
        cancel: () => left.resolve(),
      });
      request.signal.addEventListener("abort", () => left.resolve());
      return new Response(stream, { status, headers: { "content-type": contentType } });
    },
  });
  return {
    baseUrl: `http://127.0.0.1:${server.port}/v1`,
    asked,
    left,
    begun,
    [Symbol.dispose]: () => void server.stop(true),
  };
}
