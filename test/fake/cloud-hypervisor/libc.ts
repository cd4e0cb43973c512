import { dlopen, ptr } from "bun:ffi";
import { closeSync, constants, openSync, readFileSync } from "node:fs";

const libc = dlopen("libc.so.6", {
  fcntl: { args: ["i32", "i32", "u64"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  syscall: { args: ["i64", "ptr", "u64", "u64"], returns: "i64" },
}).symbols;

/** <fcntl.h>, fcntl(2); the locks are those of open file descriptions. */
const F_GETFL = 3;
const F_SETFL = 4;
const F_OFD_SETLK = 37;
const F_RDLCK = 0;
const F_WRLCK = 1;
/** <linux/if_tun.h>. */
const TUNSETIFF = 0x400454ca;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const SYS_LANDLOCK_CREATE_RULESET = 444;
const LANDLOCK_CREATE_RULESET_VERSION = 1;
const CAP_NET_ADMIN = 12n;

/** Takes an OFD lock on a whole open file. @returns false when somebody else holds it. */
export function lockFile(fd: number, kind: "read" | "write"): boolean {
  const lock = new DataView(new ArrayBuffer(32)); // struct flock: type, whence, pad, start, len, pid
  lock.setInt16(0, kind === "read" ? F_RDLCK : F_WRLCK, true);
  return libc.fcntl(fd, F_OFD_SETLK, BigInt(ptr(lock))) === 0;
}

/** Writes to a full pipe fail from now on instead of waiting. */
export function setNonBlocking(fd: number): void {
  libc.fcntl(fd, F_SETFL, BigInt(libc.fcntl(fd, F_GETFL, 0n) | constants.O_NONBLOCK));
}

/** Version of Landlock's ABI, 0 where the kernel has none (landlock_create_ruleset(2)). */
export function landlockAbi(): number {
  return Math.max(0, Number(libc.syscall(SYS_LANDLOCK_CREATE_RULESET, null, 0, LANDLOCK_CREATE_RULESET_VERSION)));
}

/** @returns the descriptor that holds the tap, or null when it cannot be had: busy, or not ours. */
export function openTap(name: string): number | null {
  const fd = openSync("/dev/net/tun", constants.O_RDWR | constants.O_NONBLOCK);
  const request = new Uint8Array(40); // struct ifreq: name[16], flags
  request.set(new TextEncoder().encode(name).subarray(0, 15));
  new DataView(request.buffer).setUint16(16, IFF_TAP | IFF_NO_PI | IFF_VNET_HDR, true);
  if (libc.ioctl(fd, TUNSETIFF, ptr(request)) === 0) return fd;
  closeSync(fd);
  return null;
}

/** May this process make and change network interfaces here? */
export function mayAdministerNetwork(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> CAP_NET_ADMIN) & 1n) === 1n;
}
