import * as v from "valibot";
import { CreateVm, type CreateVmInput } from "../../../contract/index.ts";
import { EMPTY, type Line, lineOf } from "../../canvas/line-editor.ts";

/** Fields of the form, in their order. */
export const CREATE_FIELDS = ["name", "cpu", "memory", "image", "profile", "labels", "ttl", "egress", "proxy"] as const;
export type CreateField = (typeof CREATE_FIELDS)[number];
export type CreateFields = Readonly<Record<CreateField, Line>>;

export const HINTS: Record<CreateField, string> = {
  name: "lower-case letters, digits, hyphens",
  cpu: "cores",
  memory: "MB, or 2G",
  image: "the default image",
  profile: "an empty browser",
  labels: "key=value, separated by spaces",
  ttl: "for ever; or 10m, 1h30m, 2d",
  egress: "the network's default; internet, none, open",
  proxy: "none; or http://user:password@host:port, socks5://…",
};

export const defaultFields = (): CreateFields => ({
  name: EMPTY,
  cpu: lineOf("1"),
  memory: lineOf("1024"),
  image: EMPTY,
  profile: EMPTY,
  labels: EMPTY,
  ttl: EMPTY,
  egress: EMPTY,
  proxy: EMPTY,
});

/** Where each field's fault stands in what the contract says. */
const FIELD_OF: Record<string, CreateField> = {
  name: "name",
  cpu_cores: "cpu",
  memory_mb: "memory",
  image: "image",
  profile: "profile",
  labels: "labels",
  ttl_seconds: "ttl",
  egress: "egress",
  proxy: "proxy",
};

export type Checked = { input: CreateVmInput; faults: Partial<Record<CreateField, string>> };

/** What the fields ask for, held against the contract. */
export function check(fields: CreateFields): Checked {
  const faults: Partial<Record<CreateField, string>> = {};
  const text = (field: CreateField) => fields[field].text.trim();
  const parsed = <T>(field: CreateField, parse: (text: string) => T | null, expected: string): T | undefined => {
    if (text(field) === "") return undefined;
    const value = parse(text(field));
    if (value === null) faults[field] = `expected ${expected}`;
    return value ?? undefined;
  };
  const wish = {
    name: text("name"),
    cpu_cores: parsed("cpu", wholeNumber, "a whole number"),
    memory_mb: parsed("memory", megabytes, "megabytes, or 2G"),
    image: text("image") || undefined,
    profile: text("profile") || undefined,
    labels: parsed("labels", pairs, "key=value"),
    ttl_seconds: parsed("ttl", seconds, "a duration such as 10m"),
    egress: text("egress") === "" ? undefined : { mode: text("egress") },
    proxy: text("proxy") === "" ? undefined : { url: text("proxy") },
  };
  const input = Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== undefined));
  const result = v.safeParse(CreateVm, input);
  for (const issue of result.issues ?? []) {
    const field = FIELD_OF[String(issue.path?.[0]?.key)];
    if (field) faults[field] ??= issue.message;
  }
  return { input: input as CreateVmInput, faults };
}

const wholeNumber = (text: string): number | null => (/^\d{1,9}$/.test(text) ? Number(text) : null);

function megabytes(text: string): number | null {
  const match = /^(\d{1,7})(m|mb|g|gb)?$/i.exec(text);
  return match ? Number(match[1]) * (/^g/i.test(match[2] ?? "") ? 1024 : 1) : null;
}

function pairs(text: string): Record<string, string> | null {
  const found = text.split(/\s+/).map((pair): [string, string] | null => {
    const at = pair.indexOf("=");
    return at < 1 ? null : [pair.slice(0, at), pair.slice(at + 1)];
  });
  return found.includes(null) ? null : Object.fromEntries(found as [string, string][]);
}

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

function seconds(text: string): number | null {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  if (!/^(\d{1,9}[smhd])+$/.test(text)) return null;
  return [...text.matchAll(/(\d+)([smhd])/g)].reduce(
    (total, [, count, unit]) => total + Number(count) * UNITS[unit as keyof typeof UNITS],
    0,
  );
}
