/** What the agent may do to the machine it runs on. As a local process it may do nothing: the machine is not its own. */
export interface Machine {
  hostname(): string;
  setHostname(name: string): void;
  /** @param epochMs milliseconds since 1970, UTC */
  setClock(epochMs: number): void;
  /** Adds to the kernel's pool, credits it, and has the generator reseeded from it. */
  addEntropy(bytes: Uint8Array): void;
  /** Does not return on a real machine. */
  powerOff(): void;
}
