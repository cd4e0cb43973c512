import type { State, Toast } from "./state.ts";

/** How long a toast that need not be answered is shown, milliseconds. */
const TOAST_MS = 6_000;
const MOST_TOASTS = 20;

/** Holds the state and says when it changed. Changes in one turn of the event loop are told once. */
export class Store {
  readonly state: State;
  readonly #listeners = new Set<() => void>();
  readonly #now: () => number;
  #told = true;
  #toasts = 0;

  constructor(state: State, now: () => number = Date.now) {
    this.state = state;
    this.#now = now;
  }

  now(): number {
    return this.#now();
  }

  update(change: (state: State) => void): void {
    change(this.state);
    this.state.version += 1;
    if (!this.#told) return;
    this.#told = false;
    queueMicrotask(() => {
      this.#told = true;
      for (const listener of this.#listeners) listener();
    });
  }

  /** @returns a function that stops listening. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Says something in the corner. What went wrong stays until it was seen. */
  toast(kind: Toast["kind"], text: string, stays = false): void {
    const id = ++this.#toasts;
    this.update(({ toasts }) => {
      toasts.push({ id, kind, text, atMs: this.#now(), stays });
      if (toasts.length <= MOST_TOASTS) return;
      const passing = toasts.findIndex((toast) => !toast.stays); // what went wrong is the last to go unseen
      toasts.splice(Math.max(0, passing), 1);
    });
    if (stays) return;
    setTimeout(() => this.dismiss(id), TOAST_MS).unref();
  }

  /** Without an id: those that are on the screen; the ones before have their turn then. */
  dismiss(id?: number): void {
    this.update((state) => {
      const gone = id === undefined ? state.toastsShown : [id];
      state.toasts = state.toasts.filter((toast) => !gone.includes(toast.id));
    });
  }
}
