import { dlopen, FFIType, ptr } from "bun:ffi";

const { i32, u64, i64, ptr: pointer } = FFIType;
export const libc = dlopen("libc.so.6", {
  open: { args: [pointer, i32], returns: i32 },
  setns: { args: [i32, i32], returns: i32 },
  ioctl: { args: [i32, u64, pointer], returns: i32 },
  poll: { args: [pointer, u64, i32], returns: i32 },
  read: { args: [i32, pointer, u64], returns: i64 },
  write: { args: [i32, pointer, u64], returns: i64 },
}).symbols;

// linux/if_tun.h, linux/sched.h, fcntl.h
const [TUNSETIFF, IFF_TAP_NO_PI, CLONE_NEWNET, O_RDWR] = [0x400454ca, 0x1002, 0x40000000, 2];
const path = (text: string) => ptr(Buffer.from(`${text}\0`));

/** Moves this thread into one of the named network namespaces. */
export function enterNamespace(name: string): void {
  const file = libc.open(path(`/run/netns/${name}`), 0);
  if (file < 0 || libc.setns(file, CLONE_NEWNET) !== 0) throw new Error(`cannot enter ${name}`);
}

/** Opens a tap of this thread's network namespace; one that is not there is made for as long as this process lives. @returns null when it may not */
export function openTap(name: string): number | null {
  const file = libc.open(path("/dev/net/tun"), O_RDWR);
  const request = Buffer.alloc(40);
  request.write(name);
  request.writeUInt16LE(IFF_TAP_NO_PI, 16);
  return file < 0 || libc.ioctl(file, TUNSETIFF, ptr(request)) !== 0 ? null : file;
}
