import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import {
  type ActionName,
  actionSchema,
  Content,
  type ErrorCode,
  Evaluate,
  Find,
  HypeError,
  Links,
  Navigate,
  OpenTab,
  Screenshot,
  Snapshot,
  Wait,
} from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { type Site, serveSite } from "../site/serve.ts";
import { type RunningAgent, startAgent } from "./agent.ts";
import { chromiumProgram } from "./chromium.ts";
import { temporaryDirectory } from "./temporary.ts";

/** The fixture site, an agent with a real Chromium, and short words for what tests ask of it. */
export type Browsing = AsyncDisposable & { guest: Guest; site: Site; agent: RunningAgent } & ReturnType<typeof words>;

export async function startBrowsing(pages: Record<string, string> = {}, flags: string[] = []): Promise<Browsing> {
  const site = serveSite(pages);
  const directory = temporaryDirectory();
  try {
    const agent = await startAgent(flags.length > 0 ? { chromium: chromiumWith(flags, directory.path) } : {});
    const end = async () => {
      await agent[Symbol.asyncDispose]();
      site[Symbol.dispose]();
      directory[Symbol.dispose]();
    };
    const guest = new Guest(agent.endpoint, agent.token);
    await guest.ready(60_000);
    return { guest, site, agent, ...words(guest, site), [Symbol.asyncDispose]: end };
  } catch (thrown) {
    site[Symbol.dispose]();
    directory[Symbol.dispose]();
    throw thrown;
  }
}

/** A program that is Chromium with more flags. */
export function chromiumWith(flags: string[], directory: string): string {
  const program = join(directory, "chromium");
  writeFileSync(program, `#!/bin/sh\nexec ${chromiumProgram()} ${flags.join(" ")} "$@"\n`, { mode: 0o755 });
  return program;
}

type Body = object;

const words = (guest: Guest, site: Site) => ({
  /** A path of the site, or a whole address. */
  open: (path: string, more: Body = {}) =>
    guest.navigate(v.parse(Navigate, { url: path.startsWith("/") ? site.origin + path : path, ...more })),
  openTab: (body: Body = {}) => guest.openTab(v.parse(OpenTab, body)),
  snapshot: async (more: Body = {}) => (await guest.page.snapshot(v.parse(Snapshot, more))).yaml,
  act: <A extends ActionName>(name: A, body: Body = {}) =>
    guest.page.act(name, v.parse(actionSchema(name), { timeout_ms: 10_000, ...body })),
  wait: (body: Body) => guest.page.wait(v.parse(Wait, { timeout_ms: 10_000, ...body })),
  value: async (expression: string, more: Body = {}) =>
    (await guest.evaluate(v.parse(Evaluate, { expression, ...more }))).value,
  find: (body: Body) => guest.page.find(v.parse(Find, body)),
  links: (body: Body = {}) => guest.page.links(v.parse(Links, body)),
  content: async (body: Body) => (await guest.content(v.parse(Content, body))).content,
  shot: async (body: Body) => (await guest.screenshot(v.parse(Screenshot, body))).bytes,
});

/** The ref of the line of a snapshot that holds some words. */
export function refIn(yaml: string, words: string, nth = 0): string {
  const lines = yaml.split("\n").filter((line) => line.includes(words) && line.includes("[ref="));
  const ref = /\[ref=(\w+)\]/.exec(lines[nth] ?? "")?.[1];
  if (!ref) throw new Error(`no ref for ${words} in\n${yaml}`);
  return ref;
}

/** @returns the message of the error, which must have that code. */
export async function refused(code: ErrorCode, promise: Promise<unknown>): Promise<string> {
  const thrown = await promise.then(
    (value) => `nothing was thrown but ${JSON.stringify(value)} returned`,
    (reason: unknown) => reason,
  );
  expect(thrown).toBeInstanceOf(HypeError);
  expect(`${(thrown as HypeError).code}: ${(thrown as HypeError).message}`).toStartWith(`${code}: `);
  return (thrown as HypeError).message;
}
