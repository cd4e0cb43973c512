import { Database } from "bun:sqlite";
import { join } from "node:path";
import { Guest } from "../../src/guest/guest.ts";

/** The agent's own door of a VM, past the server: what the server's doors are measured against. */
export function agentDoor(stateDirectory: string, name: string): { endpoint: string; token: string; guest: Guest } {
  using database = new Database(join(stateDirectory, "state.db"), { readonly: true });
  const row = database.query("select endpoint, token from vms where name = ?").get(name) as {
    endpoint: string;
    token: string;
  } | null;
  if (!row) throw new Error(`no VM ${name}`);
  return { ...row, guest: new Guest(row.endpoint, row.token) };
}
