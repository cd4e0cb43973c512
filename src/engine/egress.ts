import type { Egress, EgressPolicy } from "../contract/index.ts";
import { type Context, mustFind } from "./context.ts";
import { holdings } from "./release.ts";
import { record } from "./states.ts";

const NOTHING = { packets: 0, bytes: 0 };

/** What a VM's guest may reach, and what it was refused since its start. @throws HypeError vm_not_found | network_failed */
export async function egress(ctx: Context, ref: string): Promise<Egress> {
  const vm = mustFind(ctx, ref);
  const { attachment, egress: policy } = holdings(ctx, vm.id);
  const report = attachment && (await ctx.network.egress(attachment));
  return {
    policy,
    enforced: report !== null,
    ...(report ?? { allowed: NOTHING, refused: NOTHING, refusals: [] }),
  };
}

/**
 * Gives a VM another policy: in force at once where it runs, else from its next start. Row and network agree afterwards,
 * also when one of them fails.
 * @throws HypeError vm_not_found | egress_unsupported | network_failed
 */
export async function setEgress(ctx: Context, ref: string, policy: EgressPolicy): Promise<Egress> {
  const { id } = mustFind(ctx, ref);
  ctx.network.mustPolice(policy);
  return await ctx.locks.run(id, async () => {
    const { attachment, egress: before } = holdings(ctx, id);
    if (attachment) await ctx.network.setEgress(attachment, policy);
    try {
      record(ctx, id, { egress: policy }, "VM_EGRESS_CHANGED", summary(policy));
    } catch (thrown) {
      if (attachment) await ctx.network.setEgress(attachment, before);
      throw thrown;
    }
    return await egress(ctx, id);
  });
}

/** Lists may be long: the event tells their lengths, the row holds them. */
const summary = ({ mode, allow, deny }: EgressPolicy) => ({ mode, allow: allow.length, deny: deny.length });
