import type { ServerWebSocket } from "bun";
import { LIMITS } from "../../contract/index.ts";
import {
  clipReason,
  GOING_AWAY,
  INTERNAL,
  POLICY,
  sendableClose,
  SERVICE_RESTART,
  TRY_AGAIN_LATER,
} from "./close-codes.ts";

/**
 * What may wait for a peer that does not read, bytes: one message of the largest size and as much again as a busy page sends in a moment.
 * Neither Bun's server nor its client can stop reading a WebSocket, so a peer that stays behind is cut instead of filling the memory.
 */
export const BUFFER_BYTES = LIMITS.cdp_message_bytes + 64 * 1024 * 1024;

type Frame = string | Buffer;
type Client = Pick<ServerWebSocket<unknown>, "send" | "close" | "getBufferedAmount">;
/** What is used of the socket to the agent. */
type Upstream = Pick<Bun.WebSocket, "send" | "close" | "bufferedAmount" | "onmessage" | "onclose" | "onerror">;

/** The callbacks that `server.upgrade(request, { data })` hands a connection to. */
export type SocketHandlers = {
  open(client: Client): void;
  message(client: Client, frame: Frame): void;
  close(client: Client, code: number, reason: string): void;
};

export type RelayOptions = {
  /** Already open. */
  upstream: Upstream;
  /** Aborts, with the reason, when the VM is not usable any more. */
  gone: AbortSignal;
  /** Aborts when the server shuts down. */
  closing: AbortSignal;
  /** Aborts, with the reason, when the key the caller came with is over. */
  ended: AbortSignal;
  /** Called once, when both ends are closed or closing. */
  onEnd: () => void;
  /** What may wait for either peer. */
  bufferBytes: number;
  /** What the agent's side is, in the reasons of a close. */
  peer?: string;
};

/** Size for the account only: characters of a text are at most its bytes. */
const sizeOf = (frame: Frame): number => frame.length;

/**
 * Joins a client's socket and the agent's: frames go across as they are, text as text and binary as binary, and so do close codes and reasons.
 * What the agent sends before the client's side is open waits.
 */
export function relay({
  upstream,
  gone,
  closing,
  ended,
  onEnd,
  bufferBytes,
  peer = "browser",
}: RelayOptions): SocketHandlers {
  let client: Client | null = null;
  let early: Frame[] | null = [];
  let earlyClose: { code: number; reason: string } | null = null;
  let isOver = false;

  /** Closes both ends, each with its own code; whoever closed first is not told again. */
  const end = (toClient: { code: number; reason: string } | null, toAgent: { code: number; reason: string } | null) => {
    if (isOver) return;
    isOver = true;
    gone.removeEventListener("abort", onGone);
    closing.removeEventListener("abort", onClosing);
    ended.removeEventListener("abort", onEnded);
    if (toAgent) upstream.close(toAgent.code, toAgent.reason);
    if (toClient && client) client.close(toClient.code, toClient.reason);
    else earlyClose = toClient;
    onEnd();
  };
  const onGone = () => {
    const close = { code: SERVICE_RESTART, reason: clipReason(`the VM is gone: ${reasonOf(gone)}`) };
    end(close, close);
  };
  const onClosing = () => {
    const close = { code: GOING_AWAY, reason: "the server is shutting down" };
    end(close, close);
  };
  const onEnded = () => {
    const reason = clipReason(reasonOf(ended));
    end({ code: POLICY, reason }, { code: GOING_AWAY, reason });
  };

  const toClient = (frame: Frame) => {
    if (isOver) return;
    if (!client) return void early?.push(frame);
    const isBehind = client.getBufferedAmount() + sizeOf(frame) > bufferBytes;
    // 0 bytes taken means dropped (over Bun's own limit, or closed): a relay with a hole in it must not go on.
    if (isBehind || (client.send(frame) === 0 && frame.length > 0))
      end(
        { code: TRY_AGAIN_LATER, reason: "the client does not read" },
        { code: GOING_AWAY, reason: "the client does not read" },
      );
  };

  upstream.onmessage = ({ data }) => toClient(data as Frame); // binaryType is nodebuffer
  upstream.onclose = ({ code, reason }) =>
    end(sendableClose(code, reason, { code: INTERNAL, reason: `the connection to the ${peer} was lost` }), null);
  upstream.onerror = () => {}; // a close event follows and says the rest
  gone.addEventListener("abort", onGone);
  closing.addEventListener("abort", onClosing);
  ended.addEventListener("abort", onEnded);
  if (gone.aborted) onGone();
  else if (closing.aborted) onClosing();
  else if (ended.aborted) onEnded();

  return {
    open(socket) {
      client = socket;
      if (earlyClose) return socket.close(earlyClose.code, earlyClose.reason);
      for (const frame of early ?? []) toClient(frame);
      early = null;
    },
    message(_socket, frame) {
      if (isOver) return;
      if (upstream.bufferedAmount + sizeOf(frame) > bufferBytes)
        return end(
          { code: TRY_AGAIN_LATER, reason: `the ${peer} does not read` },
          { code: INTERNAL, reason: `the ${peer} does not read` },
        );
      upstream.send(frame);
    },
    close(_socket, code, reason) {
      end(null, sendableClose(code, reason, { code: GOING_AWAY, reason: "the client went away" }));
    },
  };
}

const reasonOf = ({ reason }: AbortSignal): string => (reason instanceof Error ? reason.message : String(reason));
