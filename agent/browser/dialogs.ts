import type { TabSession } from "./tabs.ts";

let isHeld = (_tab: string): boolean => false;

/** Tells whose dialogs are somebody else's to answer, because a policy was set for them. */
export const leaveDialogsTo = (holds: (tab: string) => boolean): void => void (isHeld = holds);

/**
 * While the Page domain is enabled Chromium hands dialogs to us, and the page stands still until they are answered: alerts are
 * confirmed, questions answered with no, and "leave this page?" with yes.
 * @returns a function that stops answering.
 */
export const answerDialogs = (
  tab: TabSession,
  note: (text: string) => void,
  seen: (dialog: { type: string; message: string }) => void = () => {},
): (() => void) =>
  tab.on("Page.javascriptDialogOpening", ({ type, message }) => {
    seen({ type, message: message.slice(0, 2_000) });
    if (isHeld(tab.id)) return;
    note(`dialog answered for tab ${tab.id}: ${type} ${JSON.stringify(message.slice(0, 200))}`);
    const accept = type === "beforeunload" || type === "alert";
    tab.send("Page.handleJavaScriptDialog", { accept }).catch(() => {}); // somebody else answered first
  });
