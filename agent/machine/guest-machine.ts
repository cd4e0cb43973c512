import { dlopen, ptr, read } from "bun:ffi";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { HypeError } from "../../src/contract/index.ts";
import type { Machine } from "./machine.ts";

/** The machine is the guest, and ours. Needs root. */
export const guestMachine: Machine = {
  hostname: () => readFileSync(HOSTNAME, "utf8").trim(),
  setHostname: (name) => writeFileSync(HOSTNAME, name),
  setClock(epochMs) {
    const seconds = Math.floor(epochMs / 1000);
    const timespec = new BigInt64Array([BigInt(seconds), BigInt((epochMs - seconds * 1000) * 1_000_000)]);
    call("clock_settime", (libc) => libc.clock_settime(CLOCK_REALTIME, ptr(timespec)));
  },
  addEntropy(bytes) {
    // struct rand_pool_info: bits to credit, bytes that follow, the bytes
    const pool = Buffer.alloc(8 + bytes.length);
    pool.writeInt32LE(bytes.length * 8, 0);
    pool.writeInt32LE(bytes.length, 4);
    pool.set(bytes, 8);
    const random = openSync("/dev/random", "w");
    try {
      call("RNDADDENTROPY", (libc) => libc.ioctl(random, RNDADDENTROPY, ptr(pool)));
      call("RNDRESEEDCRNG", (libc) => libc.ioctl(random, RNDRESEEDCRNG, null));
    } finally {
      closeSync(random);
    }
  },
  powerOff() {
    // Straight to the kernel: nothing in a guest outlives it, so there is nothing for init to shut down in order.
    call("reboot", (libc) => {
      libc.sync();
      return libc.reboot(RB_POWER_OFF);
    });
  },
};

const HOSTNAME = "/proc/sys/kernel/hostname";
/** <time.h> */
const CLOCK_REALTIME = 0;
/** <linux/random.h>: _IOW('R', 3, int[2]) and _IO('R', 7) */
const RNDADDENTROPY = 0x40085203;
const RNDRESEEDCRNG = 0x5207;
/** <sys/reboot.h> */
const RB_POWER_OFF = 0x4321fedc;

const openLibc = () =>
  dlopen("libc.so.6", {
    clock_settime: { args: ["i32", "ptr"], returns: "i32" },
    ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
    reboot: { args: ["i32"], returns: "i32" },
    sync: { args: [], returns: "void" },
    __errno_location: { args: [], returns: "ptr" },
  });
let library: ReturnType<typeof openLibc> | undefined;

/** Runs one C call that answers -1 on failure. */
function call(name: string, run: (libc: ReturnType<typeof openLibc>["symbols"]) => number): void {
  const { symbols } = (library ??= openLibc());
  if (run(symbols) !== -1) return;
  const errno = read.i32(symbols.__errno_location()!, 0);
  throw new HypeError("internal", `${name} failed with errno ${errno}`);
}
