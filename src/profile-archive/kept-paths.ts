/**
 * Where a headless Chromium keeps what sites left with it, below its user data directory (looked at with 156). All else is a cache,
 * belongs to one run, or is no site's: what a guest says is not to change how another guest's Chromium works.
 */
const KEPT =
  /^Default\/(Cookies(-journal)?|DIPS(-journal)?|Trust Tokens(-journal)?|(IndexedDB|Local Storage|Service Worker|WebStorage|File System|Storage|databases)\/.+)$/;
/** LevelDB makes them anew (its doc/impl.md). */
const OF_ONE_RUN = /\/(LOCK|LOG|LOG\.old)$/;
const MAX_DEPTH = 24;

/** Whether a file of that path belongs to a profile that is kept. It is safe to join to a directory then. */
export function isKept(path: string): boolean {
  const parts = path.split("/");
  return (
    KEPT.test(path) &&
    !OF_ONE_RUN.test(path) &&
    !/\p{Cc}/u.test(path) &&
    parts.length <= MAX_DEPTH &&
    parts.every((part) => part !== "" && part !== "." && part !== ".." && Buffer.byteLength(part) <= 255)
  );
}
