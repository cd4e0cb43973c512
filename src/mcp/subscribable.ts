import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from "@modelcontextprotocol/server";
import * as v from "valibot";
import { HypeError } from "../contract/index.ts";
import { readUri, VMS_URI } from "./uris.ts";
import type { Visit } from "./visit.ts";

/** What a subscription to an address would come to: `never`, where nothing tells of its changes; `absent`, where it names nothing the key sees. */
export type Prospect = "told" | "never" | "absent";
export type ProspectOf = (visit: Visit, uri: string) => Prospect;

export const prospectOf: ProspectOf = ({ house, vm: preset }, uri) => {
  const named = readUri(uri);
  if (!named) return "absent";
  if (named.kind === "vms") return preset === null ? "told" : "absent";
  if (preset !== null && named.vm !== preset) return "absent";
  try {
    house.get(named.vm);
  } catch (thrown) {
    if (thrown instanceof HypeError) return "absent";
    throw thrown;
  }
  return named.kind === "vm" ? "told" : "never";
};

/** For a session's `resources/subscribe`. @throws ProtocolError invalid params */
export function mustBeTold(is: Prospect, uri: string): void {
  if (is === "absent") throw new ResourceNotFoundError(uri);
  if (is === "never")
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      `nothing tells when ${uri} changes: subscribe to ${VMS_URI} or ${VMS_URI}/NAME`,
    );
}

const Listen = v.looseObject({
  method: v.literal("subscriptions/listen"),
  params: v.looseObject({ notifications: v.looseObject({ resourceSubscriptions: v.array(v.string()) }) }),
});

/** A `subscriptions/listen` (2026-07-28) without the addresses that are never told of, so that its acknowledgement names what holds; others as they are. */
export function listenable(isTold: (uri: string) => boolean, message: unknown): unknown {
  const asked = v.safeParse(Listen, message);
  if (!asked.success) return message;
  const { params, ...rest } = asked.output;
  const { resourceSubscriptions: uris, ...others } = params.notifications;
  const told = uris.filter(isTold);
  return { ...rest, params: { ...params, notifications: { ...others, resourceSubscriptions: told } } };
}
