import {
  type Acted,
  type Action,
  type ActionName,
  type Actions,
  type ActionRequest,
  HypeError,
} from "../../src/contract/index.ts";
import { CommandRefused } from "../cdp/connection.ts";
import { answerDialogs } from "../browser/dialogs.ts";
import { DocumentGone } from "../browser/document.ts";
import { NavigationWatch } from "../browser/navigation-watch.ts";
import { afterDeadline } from "../browser/runaway.ts";
import type { TabSession } from "../browser/tabs.ts";
import { perform } from "./perform.ts";

type Note = (text: string) => void;
/** A page that an action began to open is waited for until it is there (not: loaded), no longer than this. */
const FOLLOW_MS = 5_000;
/** Dialogs told of; of more, the last. */
const MAX_DIALOGS = 100;
/** A dialog that is answered by a policy is gone sooner. */
const HELD_MS = 500;

/**
 * One action on a tab. It is done when the page has taken it, and when the page it leads to, if any, is there.
 * @throws HypeError as reach() | `invalid_request` | `operation_timeout`
 */
export const act =
  <A extends ActionName>(name: A) =>
  (tab: TabSession, request: ActionRequest<A>, signal: AbortSignal, note: Note): Promise<Acted> =>
    acting(tab, signal, note, () => perform(tab, { action: name, ...request } as unknown as Action, signal));

/** Several actions, in order. The first that fails ends them; which one it was stands in the message. */
export function actAll(tab: TabSession, { actions }: Actions, signal: AbortSignal, note: Note): Promise<Acted> {
  return acting(tab, signal, note, async (settled) => {
    let selected: string[] | undefined;
    for (const [index, action] of actions.entries())
      try {
        if (index > 0) await settled();
        selected = (await perform(tab, action, signal)) ?? selected;
      } catch (thrown) {
        if (!(thrown instanceof HypeError)) throw thrown;
        const where = `actions.${index} (${action.action})`;
        throw new HypeError(thrown.code, `${where}: ${thrown.message}`, thrown.details, { cause: thrown });
      }
    return selected;
  });
}

async function acting(
  tab: TabSession,
  signal: AbortSignal,
  note: Note,
  doIt: (settled: () => Promise<void>) => Promise<string[] | undefined>,
): Promise<Acted> {
  const dialogs: Acted["dialogs"] = [];
  const watch = new NavigationWatch(tab);
  let dropped = 0;
  const stopAnswering = answerDialogs(tab, note, (dialog) => {
    if (dialogs.push(dialog) <= MAX_DIALOGS) return;
    dialogs.shift();
    dropped += 1;
  });
  const release = tab.use("Page", signal);
  const settled = () => followed(tab, watch, signal);
  const held = heldDialog(tab);
  const doing = doIt(settled).then(async (selected) => {
    await settled();
    return { selected, blocked: false };
  });
  try {
    const { selected, blocked } = await Promise.race([doing, held.opened]);
    return {
      tab: tab.id,
      ...(await tab.info(signal)),
      dialogs,
      dialogs_dropped: dropped,
      dialog_open: blocked,
      ...(selected ? { selected } : {}),
    };
  } catch (thrown) {
    if (signal.aborted) await afterDeadline(tab, signal);
    if (thrown instanceof CommandRefused || thrown instanceof DocumentGone)
      throw new HypeError(
        "evaluation_failed",
        `the page went away under the action: ${thrown.message}`,
        {},
        { cause: thrown },
      );
    throw thrown;
  } finally {
    doing.catch(() => {}); // where a dialog ended the wait for it
    held.stop();
    stopAnswering();
    watch.stop();
    release();
  }
}

async function followed(tab: TabSession, watch: NavigationWatch, signal: AbortSignal): Promise<void> {
  // What the page's handlers set going is told before the answer to this.
  await tab.send("Runtime.evaluate", { expression: "0" }, signal).catch((thrown: unknown) => {
    if (signal.aborted) throw thrown; // otherwise the page is just being replaced, or the tab closed itself
  });
  if (!watch.isUnderWay(tab.id)) return;
  const soon = AbortSignal.any([signal, AbortSignal.timeout(FOLLOW_MS)]);
  await watch.settled(tab.id, soon).catch((thrown: unknown) => {
    if (signal.aborted || !soon.aborted) throw thrown;
  });
}

/** Resolves when a dialog stays open: it is somebody else's to answer, and until then the page takes nothing more. */
function heldDialog(tab: TabSession): { opened: Promise<{ selected: undefined; blocked: true }>; stop(): void } {
  const { promise, resolve } = Promise.withResolvers<{ selected: undefined; blocked: true }>();
  let timer: Timer | undefined;
  const stops = [
    tab.on("Page.javascriptDialogOpening", () => {
      timer = setTimeout(() => resolve({ selected: undefined, blocked: true }), HELD_MS);
    }),
    tab.on("Page.javascriptDialogClosed", () => clearTimeout(timer)),
  ];
  return {
    opened: promise,
    stop() {
      clearTimeout(timer);
      for (const stop of stops) stop();
    },
  };
}
