import type { LiveCommand, LiveFrame, LiveMessage, OwnLiveLink, PageCommand, PageMessage } from "../contract/index.ts";
import { LIVE_SUBPROTOCOL } from "../contract/live-subprotocol.ts";

/** Between two attempts, milliseconds: the first, and the longest. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8_000;
/** "Policy violation": the right to be here has ended. */
const POLICY = 1008;

export type State =
  | { name: "connecting" | "waiting"; words: string }
  | { name: "live"; words: "" }
  /** Nothing is tried again. */
  | { name: "over"; words: string };

export type Listener = {
  state(state: State): void;
  message(message: LiveMessage | PageMessage): void;
  picture(head: LiveFrame, image: Blob): void;
};

/** The socket to the server, opened again with growing patience until the link is over. */
export class Connection {
  #socket: WebSocket | null = null;
  #attempts = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param path `/live/NAME` */
  constructor(
    private readonly path: string,
    private readonly token: string,
    private readonly page: string,
    private readonly listener: Listener,
  ) {
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
    this.#open();
  }

  /** Lost while there is no connection: what is to hold is said again when there is one. */
  send(command: LiveCommand | PageCommand): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(command));
  }

  #hurry(): void {
    if (this.#timer === undefined) return;
    this.#attempts = 0;
    this.#open();
  }

  #again(name: "connecting" | "waiting", words: string): void {
    this.#socket = null;
    this.listener.state({ name, words });
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#attempts++) * (0.75 + Math.random() / 2);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), waitMs);
  }

  /** Asks first what the link is good for: a socket that is refused does not say why. */
  #open(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    fetch(`${this.path}/link`, { headers: { authorization: `Bearer ${this.token}` }, cache: "no-store" })
      .then(async (reply) => ({ status: reply.status, body: (await reply.json()) as unknown }))
      .then(
        ({ status, body }) => {
          if (status === 200) return this.#join(body as OwnLiveLink);
          const { detail } = body as { detail?: string };
          if (status === 429 || status >= 500) return this.#again("connecting", "The server is busy. Trying again…");
          this.listener.state({ name: "over", words: sentence(detail ?? "the link is not valid") });
        },
        () => this.#again("connecting", "No connection to the server. Trying again…"),
      );
  }

  #join(link: OwnLiveLink): void {
    const { name, status } = link.vm;
    if (status !== "running") return this.#again("waiting", `${name} is ${status}. Waiting until it runs…`);
    const url = new URL(`${this.path}/socket/${link.id}?page=${this.page}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, [LIVE_SUBPROTOCOL, this.token]);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") return this.listener.message(JSON.parse(data) as LiveMessage | PageMessage);
      this.listener.picture(...unpack(data as ArrayBuffer));
    };
    socket.onopen = () => {
      this.#attempts = 0;
      this.listener.state({ name: "live", words: "" });
    };
    socket.onclose = ({ code, reason }) => {
      if (code === POLICY) this.listener.state({ name: "over", words: sentence(reason) });
      else
        this.#again(
          "connecting",
          reason ? `${sentence(reason)} Trying again…` : "The connection was lost. Trying again…",
        );
    };
  }
}

/** See contract/live.ts; the server has checked it. */
function unpack(message: ArrayBuffer): [LiveFrame, Blob] {
  const headBytes = new DataView(message).getUint32(0);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(message, 4, headBytes))) as LiveFrame;
  return [head, new Blob([new Uint8Array(message, 4 + headBytes)], { type: `image/${head.format}` })];
}

const sentence = (text: string): string =>
  `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
