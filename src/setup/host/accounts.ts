import { readFileSync } from "node:fs";

const lines = (path: string): string[][] => {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split(":"));
  } catch {
    return [];
  }
};

/** A local group (group(5)); null when there is none. Accounts of directory services are not looked at: setup makes local ones. */
export function findGroup(name: string): { gid: number; members: string[] } | null {
  const found = lines("/etc/group").find(([group]) => group === name);
  return found ? { gid: Number(found[2]), members: (found[3] ?? "").split(",").filter(Boolean) } : null;
}

/** A local user (passwd(5)); null when there is none. */
export function findUser(name: string): { uid: number; gid: number; shell: string } | null {
  const found = lines("/etc/passwd").find(([user]) => user === name);
  return found ? { uid: Number(found[2]), gid: Number(found[3]), shell: found[6] ?? "" } : null;
}

/** Local users and groups whose id lies in a range, `name (id)`. */
export function accountsWithin(first: number, last: number): string[] {
  const within = ([name, , id]: string[]) => {
    const number = Number(id);
    return number >= first && number <= last ? [`${name} (${number})`] : [];
  };
  return [...lines("/etc/passwd").flatMap(within), ...lines("/etc/group").flatMap(within)];
}
