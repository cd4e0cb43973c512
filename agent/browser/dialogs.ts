import type { TabSession } from "./tabs.ts";

/**
 * While the Page domain is enabled Chromium hands dialogs to us, and the page stands still until they are answered: alerts are
 * confirmed, questions answered with no, and "leave this page?" with yes.
 * @returns a function that stops answering.
 */
export const answerDialogs = (tab: TabSession, note: (text: string) => void): (() => void) =>
  tab.on("Page.javascriptDialogOpening", ({ type, message }) => {
    note(`dialog answered for tab ${tab.id}: ${type} ${JSON.stringify(message.slice(0, 200))}`);
    const accept = type === "beforeunload" || type === "alert";
    tab.send("Page.handleJavaScriptDialog", { accept }).catch(() => {}); // somebody else answered first
  });
