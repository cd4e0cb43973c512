import { Elysia } from "elysia";
import * as v from "valibot";
import {
  ARTIFACT_HEADER,
  Content,
  Evaluate,
  Evaluated,
  KeepQuery,
  Navigate,
  Navigated,
  PageContent,
  Screenshot,
  TabList,
} from "../../contract/index.ts";
import { isKept, keepFile } from "../artifacts/keep.ts";
import type { Guest } from "../../guest/guest.ts";
import { whileUsable } from "../browser/while-usable.ts";
import type { ServerContext } from "../context.ts";
import { commasAsText, NoQuery, textReply, trusted, VmRef } from "./schemas.ts";

const about = (summary: string) => ({ summary, tags: ["browser"] });
const PICTURE_ENDINGS = { png: ".png", jpeg: ".jpg", webp: ".webp" } as const;
const common = { params: VmRef, query: NoQuery };

/** What a caller can do to the browser of a VM. A caller who goes away ends the wait in the guest, too. */
export function browserRoutes(context: ServerContext) {
  const { engine } = context;
  const on = <T>(vm: string, { signal }: Request, ask: (guest: Guest, signal: AbortSignal) => Promise<T>) =>
    whileUsable(context, vm, signal, ask);
  return new Elysia({ name: "browser", prefix: "/api/v1/vms/:name/browser" })
    .onTransform(commasAsText)
    .onBeforeHandle(({ server, request }) => server?.timeout(request, 0)) // `timeout_ms` bounds these calls
    .post(
      "/navigate",
      ({ params, body, request }) => on(params.name, request, (guest, signal) => guest.navigate(body, signal)),
      {
        ...common,
        body: Navigate,
        response: Navigated,
        detail: about("Open a URL"),
      },
    )
    .post(
      "/evaluate",
      ({ params, body, request }) => on(params.name, request, (guest, signal) => guest.evaluate(body, signal)),
      {
        ...common,
        body: Evaluate,
        response: trusted(Evaluated),
        detail: about("Run a script in the page"),
      },
    )
    .post(
      "/screenshot",
      async ({ params, query, body, request }) => {
        const vm = engine.get(params.name);
        const shot = await on(params.name, request, (guest, signal) => guest.screenshot(body, signal));
        // The type is the guest's word: only what was asked for is passed on.
        const contentType = `image/${body.format}`;
        const file = { contentType, ending: PICTURE_ENDINGS[body.format], bytes: shot.bytes };
        const artifact = isKept(vm, "screenshot", query)
          ? await keepFile(context, vm, "screenshot", query.keep_as, file)
          : null;
        return new Response(shot.bytes, {
          headers: { "content-type": contentType, ...(artifact && { [ARTIFACT_HEADER]: artifact.id }) },
        });
      },
      {
        params: VmRef,
        query: KeepQuery,
        body: v.optional(Screenshot, {}),
        detail: { ...about("Picture of the page"), ...textReply("image/*", "The image's bytes") },
      },
    )
    .post(
      "/content",
      ({ params, body, request }) => on(params.name, request, (guest, signal) => guest.content(body, signal)),
      {
        ...common,
        body: v.optional(Content, {}),
        response: trusted(PageContent),
        detail: about("The page as HTML or text"),
      },
    )
    .get("/tabs", ({ params, request }) => on(params.name, request, (guest, signal) => guest.tabs(signal)), {
      ...common,
      response: TabList,
      detail: about("Open tabs"),
    });
}
