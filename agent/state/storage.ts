import * as v from "valibot";
import { type GetStorage, HypeError, type SetStorage, type StorageList } from "../../src/contract/index.ts";
import type { Context } from "./context.ts";
import type { OwnTargets } from "./own-targets.ts";
import { type KnownOrigins, originOf } from "./origins.ts";
import { READ_STORAGE, WRITE_STORAGE } from "./page-scripts.ts";
import { atOrigins, inTab } from "./workbench.ts";

/** A tab that does not answer within this is named as not read. */
const TAB_MS = 5_000;
const Entries = v.array(v.object({ name: v.string(), value: v.string() }));

/** @throws HypeError `state_incomplete` naming the origins that could not be read */
export async function getStorage(
  context: Context,
  own: OwnTargets,
  { all }: KnownOrigins,
  { kind, origins: wanted }: Pick<GetStorage, "kind" | "origins">,
): Promise<StorageList> {
  const items: StorageList["items"] = [];
  const lost: string[] = [];
  if (kind === "local")
    await atOrigins(
      context,
      own,
      wanted ?? all,
      async (origin, bench) => {
        const entries = v.parse(Entries, JSON.parse(await bench.evaluate(READ_STORAGE("local"))));
        if (entries.length > 0 || wanted) items.push({ origin, tab: null, entries });
      },
      (origin, error) => lost.push(`${origin}: ${error.message}`),
    );
  else
    for (const { targetId, origin } of await openTabs(context, own))
      if (!wanted || wanted.includes(origin))
        await inTab(context, targetId, withinTab(context), async (bench) => {
          const entries = v.parse(Entries, JSON.parse(await bench.evaluate(READ_STORAGE("session"))));
          if (entries.length > 0) items.push({ origin, tab: targetId, entries });
        }).catch((error: Error) => lost.push(`${origin} in tab ${targetId}: ${error.message}`));
  throwLost(context, lost, "could not be read");
  return { items };
}

/** @throws HypeError `state_incomplete` naming what did not fit, `tab_not_found` when no tab shows the origin (session storage) */
export async function setStorage(context: Context, own: OwnTargets, request: SetStorage): Promise<void> {
  const args = [request.kind, JSON.stringify(request.entries), request.replace];
  const lost: string[] = [];
  if (request.kind === "local") {
    await atOrigins(
      context,
      own,
      [request.origin],
      async (_origin, bench) => void lost.push(...namesOf(await bench.call(WRITE_STORAGE, args))),
      (_origin, error) => lost.push(error.message),
    );
  } else {
    const tabs = await openTabs(context, own);
    const tab = tabs.find(
      ({ targetId, origin }) => origin === request.origin && (request.tab ?? targetId) === targetId,
    );
    if (!tab)
      throw new HypeError("tab_not_found", `session storage belongs to a tab: open ${request.origin} in one first`);
    await inTab(context, tab.targetId, withinTab(context), async (bench) =>
      lost.push(...namesOf(await bench.call(WRITE_STORAGE, args))),
    );
  }
  throwLost(
    context,
    lost.map((line) => `${request.origin}: ${line}`),
    "could not be stored",
  );
}

/** Tabs of the context that show a site, without our own. */
export async function openTabs(context: Context, own: OwnTargets): Promise<{ targetId: string; origin: string }[]> {
  const { targetInfos } = await context.send("Target.getTargets", {});
  return targetInfos
    .filter(({ type, browserContextId }) => type === "page" && browserContextId === context.id)
    .filter(({ targetId }) => !own.has(targetId))
    .map(({ targetId, url }) => ({ targetId, origin: originOf(url) ?? "" }))
    .filter(({ origin }) => origin !== "");
}

export const withinTab = ({ signal }: Context): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(TAB_MS)]);

export const namesOf = (json: string): string[] => v.parse(v.array(v.string()), JSON.parse(json));

export function throwLost(context: Context, lost: string[], what: string): void {
  if (context.signal.aborted) throw context.signal.reason;
  if (lost.length === 0) return;
  const more = lost.length > 50 ? `; and ${lost.length - 50} more` : "";
  throw new HypeError("state_incomplete", `${what}: ${lost.slice(0, 50).join("; ")}${more}`);
}
