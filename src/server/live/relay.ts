import * as v from "valibot";
import {
  ControlCommand,
  HypeError,
  LIMITS,
  LiveMessage,
  messageOf,
  type OwnLiveLink,
  PageCommand,
  type PageMessage,
  WatchCommand,
} from "../../contract/index.ts";
import {
  clipReason,
  GOING_AWAY,
  INTERNAL,
  POLICY,
  sendableClose,
  SERVICE_RESTART,
  TRY_AGAIN_LATER,
} from "../cdp/close-codes.ts";
import { MAX_LIVE_MESSAGE_BYTES } from "../../guest/live.ts";
import type { SocketHandlers } from "../cdp/relay.ts";
import type { Seat, Watcher } from "./desk.ts";
import { checkedPicture } from "./picture.ts";

/** What may wait for a page, or for the agent, that does not read, bytes. A picture is only sent once the one before was seen. */
const BUFFER_BYTES = 2 * MAX_LIVE_MESSAGE_BYTES;
/** Longest text of the guest's: a page's selection, the titles of all tabs. */
const MESSAGE_BYTES = 4 * LIMITS.body_bytes;

type Upstream = Pick<Bun.WebSocket, "send" | "close" | "bufferedAmount" | "onmessage" | "onclose" | "onerror">;
type Client = Parameters<SocketHandlers["open"]>[0];

export type LiveRelayOptions = {
  /** Already open. */
  upstream: Upstream;
  link: OwnLiveLink;
  /** Takes the page's place among those who watch. */
  join(notify: Watcher["notify"]): Seat;
  /** Each aborts with its reason: the VM is gone, the server shuts down, the link or its key is over. */
  gone: AbortSignal;
  closing: AbortSignal;
  ended: AbortSignal;
  /** Called once. */
  onEnd: () => void;
};

const reads = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.safeParser(v.pipe(v.string(), v.parseJson(), schema));
const readPage = reads(PageCommand);
const readWatch = reads(WatchCommand);
const readControl = reads(ControlCommand);
const readMessage = reads(LiveMessage);

/**
 * Joins a page and the agent's live view. Nothing passes unread: what a page says must be a command it may give, what the guest says must
 * be a message or a picture. Only what was understood is sent on.
 */
export function liveRelay(options: LiveRelayOptions): SocketHandlers {
  const { upstream, gone, closing, ended } = options;
  let client: Client | null = null;
  let seat: Seat | null = null;
  let early: (string | Buffer)[] = [];
  let isOver = false;

  /** Closes both ends; `null` is for the one that closed itself. */
  const end = (toClient: Close | null, toAgent: Close | null, final: string | null = null) => {
    if (isOver) return;
    isOver = true;
    for (const [signal, listener] of listeners) signal.removeEventListener("abort", listener);
    early = [];
    seat?.leave(final);
    if (toAgent) upstream.close(toAgent.code, toAgent.reason);
    if (toClient) client?.close(toClient.code, toClient.reason);
    options.onEnd();
  };
  const reasonOf = (signal: AbortSignal) => clipReason(messageOf(signal.reason));
  const away = { code: GOING_AWAY, reason: "nobody watches any more" };
  const listeners: [AbortSignal, () => void][] = [
    [gone, () => end({ code: SERVICE_RESTART, reason: reasonOf(gone) }, away, reasonOf(gone))],
    [closing, () => end({ code: GOING_AWAY, reason: "the server is shutting down" }, away)],
    [ended, () => end({ code: POLICY, reason: reasonOf(ended) }, away, reasonOf(ended))],
  ];

  const toClient = (message: string | Buffer) => {
    if (isOver) return;
    if (!client) return void (early.length < 16 && early.push(message));
    const isBehind = client.getBufferedAmount() + message.length > BUFFER_BYTES;
    if (isBehind || client.send(message) === 0) end({ code: TRY_AGAIN_LATER, reason: "the page does not read" }, away);
  };
  const tell = (message: PageMessage | LiveMessage) => toClient(JSON.stringify(message));
  const toAgent = (command: WatchCommand | ControlCommand) => {
    const text = JSON.stringify(command);
    if (upstream.bufferedAmount + text.length > BUFFER_BYTES)
      return end({ code: TRY_AGAIN_LATER, reason: "the guest does not read" }, away);
    upstream.send(text);
  };

  /** @throws HypeError invalid_request | view_only | control_held | vm_not_running */
  const obey = (text: string) => {
    const watching = readWatch(text);
    if (watching.success) return toAgent(watching.output);
    const acting = readControl(text);
    if (acting.success) {
      if (options.link.view_only) throw new HypeError("view_only", "this link may only watch");
      if (!seat?.holds) throw new HypeError("control_held", "take control before acting on the page");
      return toAgent(acting.output);
    }
    const own = readPage(text);
    if (!own.success) throw new HypeError("invalid_request", "the page said something that is no command");
    if (own.output.type === "take") seat?.take(own.output.force);
    else seat?.giveBack();
  };

  upstream.onmessage = ({ data }) => {
    if (typeof data !== "string") {
      const picture = checkedPicture(data as unknown as Buffer); // binaryType is nodebuffer
      if (picture) toClient(picture);
      else end({ code: INTERNAL, reason: "the guest sent a picture that is none" }, away);
      return;
    }
    const read = data.length > MESSAGE_BYTES ? null : readMessage(data);
    if (!read?.success) return; // of another version, or hostile: not for the page
    // Nobody's clipboard but that of the person who acts.
    if (read.output.type !== "clipboard" || seat?.holds) tell(read.output);
  };
  upstream.onclose = ({ code, reason }) =>
    end(sendableClose(code, reason, { code: INTERNAL, reason: "the connection to the browser was lost" }), null);
  upstream.onerror = () => {}; // a close event follows and says the rest
  for (const [signal, listener] of listeners) signal.addEventListener("abort", listener);

  return {
    open(socket) {
      client = socket;
      for (const [signal, listener] of listeners) if (signal.aborted) listener();
      if (isOver) return socket.close(INTERNAL, "the connection to the browser was lost");
      tell({ type: "link", link: options.link });
      let isMine = false;
      seat = options.join((state) => {
        // Keys and buttons that are still held, a viewport, dialogs: not left behind by whoever lost control.
        if (isMine && !state.mine && !isOver) toAgent({ type: "release" });
        isMine = state.mine;
        tell({ type: "control", ...state });
      });
      for (const message of early) toClient(message);
      early = [];
    },
    message(_socket, message) {
      if (isOver) return;
      if (typeof message !== "string" || message.length > LIMITS.body_bytes)
        return end({ code: POLICY, reason: "commands are JSON text of at most 1 MB" }, away);
      try {
        obey(message);
      } catch (thrown) {
        if (!(thrown instanceof HypeError)) throw thrown;
        tell({ type: "error", code: thrown.code, message: thrown.message });
      }
    },
    close() {
      end(null, away);
    },
  };
}

type Close = { code: number; reason: string };
