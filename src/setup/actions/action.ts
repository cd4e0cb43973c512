/** One change of the host, as data: what a dry run prints is what a real run does. Paths are absolute, modes numeric, owners root. */
export type Action =
  | { kind: "group"; name: string }
  /** A system user without a shell, its primary group being the one of the same name. */
  | { kind: "user"; name: string; home: string }
  | { kind: "member"; user: string; group: string }
  /** `common`: many programs use it; it is made where it is missing and otherwise left as it is. `data`: holds what an uninstall keeps; `scratch`: what none needs. */
  | { kind: "directory"; path: string; mode: number; common?: true; data?: true; scratch?: true }
  /** `settings`: written once, then its owner's. */
  | { kind: "file"; path: string; mode: number; group?: string; content: string; settings?: true }
  | { kind: "sysctl"; key: string; value: string }
  /** `again`: what a running unit does when its file changed. `runs`: what it does to this host, for people to read. */
  | { kind: "unit"; name: string; again: "restart" | "reload"; runs?: string[] };

/** What stood there before, JSON-safe, so that it can be put back; null: nothing. */
export type Before = unknown;

/** How one kind of action looks, acts and takes itself back. Everything here is harmless when done twice. */
export interface Kind<Of extends Action> {
  /** Programs the change needs. */
  programs(action: Of): string[];
  /** Commands the change runs, word by word; empty where hype does it by itself. */
  commands(action: Of): [string, ...string[]][];
  observe(action: Of): Promise<Before>;
  isDone(action: Of, now: Before): boolean;
  /** @throws HypeError setup_failed | disk_full */
  apply(action: Of, now: Before): Promise<void>;
  /** Puts back what stood there. @returns a remark where it could or should not be put back whole. @throws HypeError setup_failed */
  restore(action: Of, before: Before, how: Restoring): Promise<string | null>;
}

/** `failed`: this run is taken back; `uninstall`: what was changed since then is respected; `purge`: data go too. */
export type Restoring = "failed" | "uninstall" | "purge";

/** Key of an action in the record of what was made. */
export function identityOf(action: Action): string {
  switch (action.kind) {
    case "group":
    case "user":
    case "unit":
      return `${action.kind} ${action.name}`;
    case "member":
      return `member ${action.user} ${action.group}`;
    case "directory":
    case "file":
      return `${action.kind} ${action.path}`;
    case "sysctl":
      return `sysctl ${action.key}`;
  }
}
