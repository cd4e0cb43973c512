import type { Database, SQLQueryBindings } from "bun:sqlite";
import type { EgressPolicy, ListVmsQuery, Proxy, Vm, VmList, VmStatus } from "../contract/index.ts";
import { listClauses } from "./vm-filter.ts";

/** What a row holds besides the Vm everybody may see. `machine` and `attachment` are JSON of the rooms that wrote them. */
export type VmSecrets = {
  /** The agent's secret. */
  token: string | null;
  machine: unknown;
  attachment: unknown;
  /** Its lists may be long: lists of VMs show the mode only. */
  egress: EgressPolicy;
  /** With its password. */
  proxy: Proxy | null;
  /** What the server was doing with the VM; null when nothing. Tells a restarted server what was cut short. */
  intent: string | null;
};

type Row = Omit<Vm, "labels" | "isolation" | "keep" | "control"> & {
  labels: string;
  keep: string;
  isolation: string | null;
  control: string | null;
};
export type NewVm = Omit<Vm, "updated_at" | "egress_mode" | "control">;
export type VmPatch = Partial<Omit<Vm, "id" | "name" | "ip_address" | "created_at" | "egress_mode"> & VmSecrets>;

/** Columns of a Vm, in the contract's order; the secret ones are not among them. */
const COLUMNS = (
  "id name status status_reason console_tail generation cpu_cores memory_mb kernel_cmdline image profile labels ttl_seconds " +
  "expires_at ip_address endpoint network keep egress_mode isolation hypervisor accelerator pid boot_ms browser_restarts control created_at started_at updated_at"
).split(" ");
const SELECT = `select ${COLUMNS.join(", ")} from vms`;
const JSON_COLUMNS = new Set(["labels", "keep", "egress", "isolation", "control", "machine", "attachment", "proxy"]);

/** No validation: the row was written by us, and lists must be fast. */
function toVm(row: Row): Vm {
  const vm = row as unknown as Vm;
  vm.labels = row.labels === "{}" ? {} : JSON.parse(row.labels);
  vm.keep = row.keep === "[]" ? [] : JSON.parse(row.keep);
  vm.isolation = row.isolation === null ? null : JSON.parse(row.isolation);
  vm.control = row.control === null ? null : JSON.parse(row.control);
  return vm;
}
const toColumn = (name: string, value: unknown): SQLQueryBindings =>
  (JSON_COLUMNS.has(name) && value !== null ? JSON.stringify(value) : value) as SQLQueryBindings;

/** Lists remembered at once; pollers ask the same few questions. */
const REMEMBERED_LISTS = 16;

/** Rows of VMs. Plain reads and writes: what may follow what is decided by the engine. */
export class Vms {
  readonly #db: Database;
  /** Answers that still hold, by question: no other process writes these rows, and every write here forgets them. */
  readonly #lists = new Map<string, VmList>();
  constructor(db: Database) {
    this.#db = db;
  }

  /** @param ref a VM's id or name; an id wins, since a name may look like one. */
  find(ref: string): Vm | null {
    const row = this.#db
      .query<Row, [string]>(`${SELECT} where id = ?1 or name = ?1 order by id = ?1 desc limit 1`)
      .get(ref);
    return row && toVm(row);
  }

  /** What only the engine needs; null when there is no such VM. */
  secrets(id: string): VmSecrets | null {
    type SecretRow = {
      token: string | null;
      machine: string | null;
      attachment: string | null;
      egress: string;
      proxy: string | null;
      intent: string | null;
    };
    const row = this.#db
      .query<SecretRow, [string]>("select token, machine, attachment, egress, proxy, intent from vms where id = ?")
      .get(id);
    const parse = (text: string | null): unknown => (text === null ? null : JSON.parse(text));
    return (
      row && {
        ...row,
        machine: parse(row.machine),
        attachment: parse(row.attachment),
        egress: JSON.parse(row.egress) as EgressPolicy,
        proxy: parse(row.proxy) as Proxy | null,
      }
    );
  }

  /** The lease must have been taken in the same transaction. */
  insert(vm: NewVm, egress: EgressPolicy): Vm {
    this.#lists.clear();
    const row: Vm = { ...vm, egress_mode: egress.mode, control: null, updated_at: vm.created_at };
    const values = COLUMNS.map((name) => toColumn(name, row[name as keyof Vm]));
    this.#db
      .query(`insert into vms (${COLUMNS.join(", ")}, egress) values (${COLUMNS.map(() => "?").join(", ")}, ?)`)
      .run(...values, toColumn("egress", egress));
    return row;
  }

  /** @returns the row after the change; null when there is no such VM. */
  update(id: string, patch: VmPatch, at: string): Vm | null {
    this.#lists.clear();
    const change = { ...patch, ...(patch.egress ? { egress_mode: patch.egress.mode } : {}), updated_at: at };
    const names = Object.keys(change);
    const values = names.map((name) => toColumn(name, change[name as keyof typeof change]));
    const assignments = names.map((name) => `${name} = ?`).join(", ");
    const row = this.#db
      .query<Row, SQLQueryBindings[]>(`update vms set ${assignments} where id = ? returning ${COLUMNS.join(", ")}`)
      .get(...values, id);
    return row && toVm(row);
  }

  /** The lease must be freed in the same transaction, after this. */
  remove(id: string): void {
    this.#lists.clear();
    this.#db.query("delete from vms where id = ?").run(id);
  }

  /**
   * Page of the VMs that match, and how many match in all. Whoever asks shares the answer: it is not to be changed.
   * @throws HypeError invalid_request on an unknown status.
   */
  list(query: ListVmsQuery): Readonly<VmList> {
    const question = JSON.stringify(query);
    const known = this.#lists.get(question);
    if (known) return known;
    const answer = this.#read(query);
    // A transaction may yet be undone: what was read inside it is not kept.
    if (!this.#db.inTransaction) {
      if (this.#lists.size >= REMEMBERED_LISTS) this.#lists.clear();
      this.#lists.set(question, answer);
    }
    return answer;
  }

  #read(query: ListVmsQuery): VmList {
    const { where, order, values, limit, offset } = listClauses(query);
    const items = this.#db
      .query<Row, SQLQueryBindings[]>(`${SELECT}${where}${order} limit ? offset ?`)
      .all(...values, limit, offset)
      .map(toVm);
    const whole = offset === 0 && items.length < limit;
    return { items, total: whole ? items.length : this.#count(where, values) };
  }

  #count(where: string, values: SQLQueryBindings[]): number {
    return (
      this.#db.query<{ n: number }, SQLQueryBindings[]>(`select count(*) as n from vms${where}`).get(...values)?.n ?? 0
    );
  }

  /** Every row, oldest first. */
  all(): Vm[] {
    return this.#db.query<Row, []>(`${SELECT} order by id`).all().map(toVm);
  }

  /** Number of VMs and their memory, by status. */
  totals(): { status: VmStatus; count: number; memory_mb: number }[] {
    return this.#db
      .query<{ status: VmStatus; count: number; memory_mb: number }, []>(
        "select status, count(*) as count, sum(memory_mb) as memory_mb from vms group by status",
      )
      .all();
  }

  /** VMs that expire, the first to do so first; those being deleted do not count. */
  expiring(): { id: string; name: string; expires_at: string }[] {
    return this.#db
      .query<{ id: string; name: string; expires_at: string }, []>(
        "select id, name, expires_at from vms where expires_at is not null and status <> 'deleting' order by expires_at",
      )
      .all();
  }
}
