import type { TabSession } from "./tabs.ts";

/** `id`: by which it can be answered, where a policy asks. */
export type OpenDialog = { id?: string; type: string; message: string };
type Elsewhere = {
  /** Whether dialogs of this tab are somebody else's to answer, because a policy was set for them. */
  holds(tab: string): boolean;
  /** The one of this tab that waits for an answer, because the policy is to ask. */
  openIn(tab: string): OpenDialog | undefined;
};
let elsewhere: Elsewhere = { holds: () => false, openIn: () => undefined };

export const leaveDialogsTo = (others: Elsewhere): void => void (elsewhere = others);

/** The dialog before which the tab's page stands still until a caller answers it. */
export const dialogToAnswer = (tab: TabSession): OpenDialog | undefined => elsewhere.openIn(tab.id);

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
    if (elsewhere.holds(tab.id)) return;
    note(`dialog answered for tab ${tab.id}: ${type} ${JSON.stringify(message.slice(0, 200))}`);
    const accept = type === "beforeunload" || type === "alert";
    tab.send("Page.handleJavaScriptDialog", { accept }).catch(() => {}); // somebody else answered first
  });
