import { HypeError } from "../contract/index.ts";

/** What SQLite's result codes (sqlite.org/rescode.html) mean to a user; anything else passes through. */
export function storeError(thrown: unknown, path: string): unknown {
  const code = (thrown as { code?: unknown } | null)?.code;
  if (typeof code !== "string" || !code.startsWith("SQLITE_")) return thrown;
  const because = { cause: thrown };
  const is = (...prefixes: string[]) => prefixes.some((prefix) => code.startsWith(prefix));
  if (is("SQLITE_BUSY", "SQLITE_LOCKED"))
    return new HypeError("state_locked", `another program holds ${path} locked`, { path }, because);
  if (is("SQLITE_FULL")) return new HypeError("disk_full", `no space left while writing ${path}`, { path }, because);
  if (is("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM"))
    return new HypeError("state_unwritable", `uid ${process.getuid?.()} cannot write ${path}`, { path }, because);
  if (is("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_IOERR"))
    return new HypeError("state_damaged", `${path} cannot be read: ${(thrown as Error).message}`, { path }, because);
  return thrown;
}
