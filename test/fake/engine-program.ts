/**
 * A server reduced to its engine, for tests that kill it: does one operation on the state in `argv[2]` and, when it comes
 * to the step in `argv[4]`, says so on stdout and hangs there for ever. Without that step it says "done". With `cgroup` in
 * `argv[5]` every VMM has a cgroup of its own.
 */
import { cgroupsOnly, forever, request, World } from "../engine/world.ts";

const [home, operation, step, jail] = process.argv.slice(2) as [string, "create" | "delete" | "stop", string, string?];
const world = new World({ home, ...(jail === "cgroup" ? { jailer: cgroupsOnly } : {}) });

const hangAt = (room: string) => async (at: string) => {
  if (`${room} ${at}` !== step) return;
  console.log("reached");
  await forever();
};
function arm(): void {
  world.network.hook = hangAt("network");
  world.driver.hook = hangAt("driver");
  const image = world.resolve;
  world.resolve = async (ref) => {
    await hangAt("image")("resolve");
    return await image(ref);
  };
  if (step === "boot") world.driver.mood = "never ready";
}

if (operation === "create") {
  arm();
  if (step === "boot") void world.event("VM_STARTING").then(() => console.log("reached"));
  await world.engine.create(request("demo"));
} else {
  await world.engine.create(request("demo"));
  arm();
  await world.engine[operation]("demo");
}
console.log("done");
await forever();
