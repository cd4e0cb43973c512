import * as v from "valibot";
import { CONTROL_WAIT_SECONDS, type Control, CreateLiveLink } from "../contract/index.ts";
import { vm } from "./fields.ts";
import { joined, line } from "./markdown.ts";
import { tellWaiting } from "./tell-waiting.ts";
import { family, type ToolContext } from "./tool.ts";

const tool = family("vms");

const ttl = v.optional(v.pipe(CreateLiveLink.entries.ttl_seconds.wrapped, v.description("How long it opens it; 600")));
const Link = v.object({
  id: v.string(),
  url: v.pipe(v.string(), v.description("For the user alone: whoever has it is in")),
  view_only: v.boolean(),
  expires_at: v.string(),
});

const heldBy = ({ label, since }: Control): string => `${line(label ?? "a person", 64)} since ${since}`;
/** Who has the browser in hand, in one sentence. */
export const controlSaid = (name: string, control: Control | null): string =>
  `${name} is in ${control ? `the hands of ${heldBy(control)}` : "nobody's hands"}.`;

function linkTo(
  { house }: ToolContext,
  ref: string,
  wanted: { view_only?: boolean | undefined; label?: string | undefined; ttl_seconds?: number | undefined },
): v.InferOutput<typeof Link> {
  const { id, url, view_only, expires_at } = house.liveLink(ref, v.parse(CreateLiveLink, wanted));
  return { id, url, view_only, expires_at };
}

/** People and browsers: to let one watch, to have one take over, to wait until it is given back. */
export const controlTools = [
  tool({
    name: "vm_live_link",
    title: "Live view for a person",
    description:
      "Makes a link that shows the user the VM's browser live, in theirs; they can take control unless view_only.",
    input: v.strictObject({
      vm,
      view_only: v.optional(v.boolean()),
      label: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(64), v.description("Whom it is for"))),
      ttl_seconds: ttl,
    }),
    output: Link,
    handle: async ({ vm: ref, ...wanted }, context) => {
      const link = linkTo(context, ref, wanted);
      return {
        text: `Give the user this link, whole; it opens until ${link.expires_at}:\n${link.url}`,
        structured: link,
      };
    },
  }),
  tool({
    name: "browser_take_over",
    title: "Have a person take over",
    description:
      "Hands the browser to the user, for a login, a captcha, a payment: gives a link to show them. Then vm_control with wait: returned.",
    input: v.strictObject({
      vm,
      reason: v.optional(v.pipe(v.string(), v.maxLength(500), v.description("What they are to do"))),
      ttl_seconds: ttl,
    }),
    output: Link,
    handsOver: true,
    handle: async ({ vm: ref, reason, ...wanted }, context) => {
      const { house } = context;
      const before = house.get(ref).control;
      const isOffered = before?.link === null && before.label === null; // and nobody took it up yet: it stands
      if (!isOffered) house.takeControl(ref);
      try {
        const link = linkTo(context, ref, wanted);
        const text = joined(
          `Show the user this link, whole; it opens until ${link.expires_at}:\n${link.url}`,
          reason && `Ask them: ${line(reason, 500)}`,
          "Leave the browser alone until vm_control with wait: returned says that they are done.",
        );
        return { text, structured: link };
      } catch (thrown) {
        if (!isOffered) house.returnControl(ref); // nobody could take it up
        throw thrown;
      }
    },
  }),
  tool({
    name: "vm_control",
    title: "Who has the browser in hand",
    description:
      "Tells whether a person has the browser in hand; wait: until it is taken, or returned, or the time is over.",
    input: v.strictObject({
      vm,
      wait: v.optional(v.picklist(["taken", "returned"])),
      timeout_seconds: v.optional(
        v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(CONTROL_WAIT_SECONDS.max), v.description("50")),
        50, // clients wait a minute for a result, unless they say otherwise
      ),
    }),
    output: v.object({ control: v.nullable(v.object({ label: v.nullable(v.string()), since: v.string() })) }),
    effect: "read",
    scope: "read",
    isIdempotent: true,
    handle: async ({ vm: ref, wait, timeout_seconds: seconds }, context) => {
      const { house, signal } = context;
      const { name, control: now } = house.get(ref);
      const mostMs = seconds * 1_000;
      const what = () => `waiting until ${name} is ${wait}`;
      const control = wait
        ? await tellWaiting(context, mostMs, what, () => house.whenControl(ref, wait === "taken", mostMs, signal))
        : now;
      const isLate = wait !== undefined && (control !== null) !== (wait === "taken");
      const next = isLate ? ` So it is after ${seconds} s: call again to wait on.` : control ? "" : " Go on.";
      return {
        text: controlSaid(name, control) + next,
        structured: { control: control && { label: control.label, since: control.since } },
      };
    },
  }),
  tool({
    name: "vm_control_return",
    title: "Take the browser back",
    description: "Ends a person's control of the browser, whoever has it: when they said so, or never came.",
    input: v.strictObject({ vm }),
    output: v.object({ control: v.null() }),
    isIdempotent: true,
    handle: async ({ vm: ref }, { house }) => {
      const { name } = house.returnControl(ref);
      return { text: controlSaid(name, null), structured: { control: null } };
    },
  }),
];
