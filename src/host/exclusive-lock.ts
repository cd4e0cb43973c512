import { Database } from "bun:sqlite";
import { HypeError } from "../contract/index.ts";
import { fileError } from "./files.ts";

/**
 * Holds a file for this process alone. SQLite's file lock is used because the kernel drops it when the process dies, however it dies,
 * and a child does not inherit it.
 * @throws HypeError `state_locked` while another process holds it.
 */
export function lockExclusively(path: string): Disposable {
  let database: Database;
  try {
    database = new Database(path, { create: true });
    database.run("pragma busy_timeout = 0");
    database.run("begin exclusive");
  } catch (thrown) {
    const code = (thrown as { code?: string }).code ?? "";
    if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED"))
      throw new HypeError("state_locked", `another hype server already uses ${path}`, { path }, { cause: thrown });
    if (code.startsWith("SQLITE_CANTOPEN") || code.startsWith("SQLITE_READONLY"))
      throw new HypeError(
        "state_unwritable",
        `uid ${process.getuid?.()} cannot write ${path}`,
        { path },
        { cause: thrown },
      );
    throw fileError(thrown, path);
  }
  return {
    [Symbol.dispose]() {
      database.close();
    },
  };
}
