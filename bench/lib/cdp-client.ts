/** The least CDP client there is, so that what is measured is the way and not the client. */
export class CdpClient {
  #socket: WebSocket;
  #waiting = new Map<number, (text: string) => void>();
  #nextId = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const text = String(data);
      const id = Number(/"id":(\d+)/.exec(text.slice(0, 64))?.[1]);
      this.#waiting.get(id)?.(text);
      this.#waiting.delete(id);
    };
  }

  static async connect(url: string, headers: Record<string, string> = {}): Promise<CdpClient> {
    const socket = new WebSocket(url, { headers, perMessageDeflate: false } as never);
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error(`no CDP socket at ${url.split("?")[0]}`));
    });
    return new CdpClient(socket);
  }

  /** @returns the answer's text, unparsed. */
  send(method: string, params: object = {}): Promise<string> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  close(): void {
    this.#socket.close();
  }
}
