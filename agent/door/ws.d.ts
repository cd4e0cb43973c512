/** Bun's own `ws` (it stands in for the package of that name), as far as the door uses it. */
declare module "ws" {
  import type { IncomingMessage } from "node:http";
  import type { Duplex } from "node:stream";

  export class WebSocket {
    readonly OPEN: number;
    readonly readyState: number;
    readonly bufferedAmount: number;
    send(data: string | Uint8Array): void;
    ping(): void;
    close(code?: number, reason?: string): void;
    terminate(): void;
    on(event: "message", listener: (data: Buffer, isBinary: boolean) => void): this;
    on(event: "pong" | "error", listener: () => void): this;
    on(event: "close", listener: (code: number, reason: Buffer) => void): this;
  }
  export class WebSocketServer {
    constructor(options: { noServer: true; perMessageDeflate: boolean; maxPayload: number });
    handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, then: (client: WebSocket) => void): void;
  }
}
