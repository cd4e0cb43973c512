import { randomHex } from "./random.ts";

const KEPT = "hype-live-token";
const PAGE = "hype-live-page";

/**
 * The token of the link this page was opened with. It comes in the fragment, which no browser sends anywhere, and is taken out of the
 * address at once; a reload finds it in the tab's own storage.
 */
export function takeToken(): string | null {
  const given = location.hash.slice(1);
  if (given) {
    sessionStorage.setItem(key(), given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(key());
}

/** Tells this page from others by the same link; a reload keeps it, and with it the control it had. */
export function pageId(): string {
  let id = sessionStorage.getItem(PAGE);
  if (!id) {
    id = randomHex();
    sessionStorage.setItem(PAGE, id);
  }
  return id;
}

const key = (): string => `${KEPT} ${location.pathname}`;
