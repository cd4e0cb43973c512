import * as v from "valibot";
import { actionSchema, Evaluate, HypeError, UploadName } from "../contract/index.ts";
import { elementOf, onPage, snapshot, target, words } from "./fields.ts";
import { onTab } from "./on-tab.ts";
import { pageResult } from "./page-result.ts";
import { parsed } from "./parse.ts";
import { family } from "./tool.ts";

const tool = family("input");
const TIMEOUT_MS = 15_000;
const REFUSED = "no-drop";
const NO_FILES = "no-files";

/** Files only come into a page through a file input: one of its own, for as long as the drop takes. */
const MAKE_INPUT = `(id) => {
  const input = Object.assign(document.createElement("input"), { type: "file", multiple: true, hidden: true, id });
  document.documentElement.append(input);
}`;
const REMOVE_INPUT = `(id) => document.getElementById(id)?.remove()`;
/** The events of a drag that comes from outside of the page, as the HTML standard orders them (drag and drop, 6.11). */
const DROP = `(element, id, data) => {
  const transfer = new DataTransfer();
  if (id !== null) {
    const input = document.getElementById(id);
    if (!input) return ${JSON.stringify(NO_FILES)};
    for (const file of input.files) transfer.items.add(file);
    input.remove();
  }
  for (const [type, value] of Object.entries(data)) transfer.setData(type, value);
  element.scrollIntoView({ block: "center", inline: "center" });
  const { left, top, width, height } = element.getBoundingClientRect();
  const fire = (type) => element.dispatchEvent(new DragEvent(type, {
    bubbles: true, cancelable: true, composed: true, dataTransfer: transfer, clientX: left + width / 2, clientY: top + height / 2,
  }));
  fire("dragenter");
  if (fire("dragover")) {
    fire("dragleave");
    return ${JSON.stringify(REFUSED)};
  }
  fire("drop");
  return "dropped";
}`;

export const dropTools = [
  tool({
    name: "browser_drop",
    title: "Drop files or data",
    description:
      "Drops files (files: names of vm_put_file; paths: in the guest) or data by MIME type onto an element, as if dragged from outside.",
    isDefaultForOne: true,
    input: v.strictObject({
      ...onPage,
      target,
      files: v.optional(v.pipe(v.array(UploadName), v.maxLength(100))),
      paths: v.optional(v.pipe(v.array(words(4_096)), v.maxLength(100))),
      data: v.optional(v.record(v.pipe(v.string(), v.maxLength(255)), v.pipe(v.string(), v.maxLength(500_000)))),
      snapshot,
    }),
    isOpenWorld: true,
    handle: ({ target: wanted, files, paths, data = {}, ...place }, context) =>
      onTab(context, place, async (on) => {
        const chosen = { ...(files && { files }), ...(paths && { paths }) };
        const hasFiles = (files ?? paths ?? []).length > 0;
        if (!hasFiles && Object.keys(data).length === 0)
          throw new HypeError("invalid_request", "give files, paths or data: what is dropped");
        const evaluate = (request: object) =>
          on.guest.evaluate(parsed(Evaluate, { tab: on.tab, timeout_ms: TIMEOUT_MS, ...request }), on.signal);
        const id = hasFiles ? `f${crypto.randomUUID()}` : null;
        try {
          if (id !== null) {
            await evaluate({ expression: MAKE_INPUT, args: [id] });
            const upload = { selector: `#${id}`, ...chosen, tab: on.tab, timeout_ms: TIMEOUT_MS };
            await on.guest.page.act("upload", parsed(actionSchema("upload"), upload), on.signal);
          }
          const { value } = await evaluate({ expression: DROP, ...elementOf(wanted), args: [id, data] });
          if (value === REFUSED)
            throw new HypeError("invalid_request", "the element takes no drops: name the one that does (a drop zone)");
          if (value === NO_FILES)
            throw new HypeError("invalid_request", "files can be dropped onto the page itself, not into a frame of it");
        } catch (thrown) {
          if (id !== null) await evaluate({ expression: REMOVE_INPUT, args: [id] }).catch(() => {}); // the first error is the one to tell
          throw thrown;
        }
        const { items } = await on.guest.tabs(on.signal);
        const { url = "", title = "" } = items.find((it) => it.id === on.tab) ?? {};
        return pageResult(on, { tab: on.tab, url, title }, place.snapshot, "It was dropped.");
      }),
  }),
];
