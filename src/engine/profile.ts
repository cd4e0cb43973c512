import { type ErrorCode, HypeError, messageOf } from "../contract/index.ts";
import { type Context, type LiveVm, mustFind } from "./context.ts";
import { crash } from "./crash.ts";
import { record } from "./states.ts";

/** How long a state may take to be taken in, ms, whatever a boot may take: seconds a site where the guest is emulated. */
const GIVE_MS = 300_000;

/** Gives the browser the profile its row names, if it names one. @throws HypeError profile_* | state_incomplete | guest_unreachable | cancelled … */
export async function giveProfile(ctx: Context, live: LiveVm, signal: AbortSignal): Promise<void> {
  const { profile } = mustFind(ctx, live.id);
  if (profile === null) return;
  record(ctx, live.id, {}, "VM_BOOT_PROGRESS", { phase: "profile" });
  await ctx.profiles.give(profile, live.guest, GIVE_MS, signal);
}

/** Whether there is something to be done for the profile before the browser is there. */
export function mayAwait(ctx: Context, live: LiveVm): boolean {
  const { profile } = mustFind(ctx, live.id);
  return profile !== null && (live.awaitsProfile || ctx.profiles.isWhole(profile));
}

/**
 * Gives a browser its whole profile before it starts; one that waits for a profile that is no whole one any more starts without.
 * @returns whether it has the profile now. @throws HypeError as {@link giveProfile}
 */
export async function giveWholeProfile(ctx: Context, live: LiveVm, signal: AbortSignal): Promise<boolean> {
  const { profile } = mustFind(ctx, live.id);
  if (profile === null) return false;
  if (ctx.profiles.isWhole(profile)) {
    await giveProfile(ctx, live, signal);
    return true;
  }
  await live.guest.profile.none(signal);
  return false;
}

/** Ends the VM as `crashed`: a browser without the logins it was asked to have is not what was asked for. @returns the error for whoever waits. */
export async function notGiven(ctx: Context, live: LiveVm, thrown: unknown): Promise<HypeError> {
  const vm = mustFind(ctx, live.id);
  const code: ErrorCode = thrown instanceof HypeError ? thrown.code : "internal";
  const why = `its browser could not be given the profile ${vm.profile}: ${messageOf(thrown)}`;
  await crash(ctx, live, why, code);
  return new HypeError(code, `${vm.name}: ${why}`, { vm: vm.name, profile: vm.profile }, { cause: thrown });
}
