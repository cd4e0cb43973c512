import type { Target } from "../connection/session.ts";
import type { Operations } from "../feed/operations.ts";
import type { State } from "../state/state.ts";
import type { Store } from "../state/store.ts";

/** What actions may do beside changing the state. */
export type ActionContext = {
  store: Store;
  operations: Operations;
  quit(): void;
  /** Leaves this server for another, or for the same with another key. */
  connectTo(target: Target): void;
  /** Starts a server on this machine. @returns where it is, and what to tell of it @throws when it cannot be started */
  serve(): Promise<{ server: string; told: string }>;
  /** Hands the terminal back to the shell until this program is continued. */
  suspend(): void;
  /** Gives the terminal to a shell in this VM until it ends or the user leaves it. @throws HypeError what refused it or broke it off */
  shell(vm: string): Promise<void>;
  redraw(): void;
  /** Hands text to the terminal's clipboard (OSC 52). @returns whether the terminal takes any */
  copy(text: string): boolean;
  /** Writes a picture of a VM where it overwrites nothing. @returns its path */
  savePicture(vm: string, bytes: Uint8Array): Promise<string>;
};

export type Action = (context: ActionContext) => void;

/** An action that changes the state and nothing else. */
export const inState =
  (change: (state: State) => void) =>
  ({ store }: ActionContext) =>
    store.update(change);
