import { HypeError } from "../contract/index.ts";

/**
 * Reads what a kernel module says of itself: section `.modinfo` of its ELF file, zero-ended `key=value` texts
 * (kernel: include/linux/moduleinfo.h; ELF-64 little-endian as in elf(5)).
 * @throws HypeError image_build_failed when it is no such file.
 */
export function readModuleInfo(file: Uint8Array): { depends: string[]; aliases: string[] } {
  const values = sectionText(file, ".modinfo").split("\0");
  const all = (key: string) =>
    values.filter((value) => value.startsWith(`${key}=`)).map((value) => value.slice(key.length + 1));
  return {
    depends: all("depends")
      .flatMap((list) => list.split(","))
      .filter(Boolean)
      .map((name) => name.replaceAll("-", "_")),
    aliases: all("alias"),
  };
}

function sectionText(file: Uint8Array, wanted: string): string {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const isElf64 =
    file.length > 64 && view.getUint32(0) === 0x7f454c46 && view.getUint8(4) === 2 && view.getUint8(5) === 1;
  if (!isElf64) throw new HypeError("image_build_failed", "a kernel module is not a 64-bit ELF file (compressed?)");
  const table = Number(view.getBigUint64(0x28, true));
  const entryBytes = view.getUint16(0x3a, true);
  const section = (index: number) => {
    const at = table + index * entryBytes;
    return {
      name: view.getUint32(at, true),
      offset: Number(view.getBigUint64(at + 0x18, true)),
      bytes: Number(view.getBigUint64(at + 0x20, true)),
    };
  };
  const names = section(view.getUint16(0x3e, true));
  for (let index = 0; index < view.getUint16(0x3c, true); index += 1) {
    const { name, offset, bytes: length } = section(index);
    const start = names.offset + name;
    if (bytes.toString("latin1", start, bytes.indexOf(0, start)) === wanted)
      return bytes.toString("latin1", offset, offset + length);
  }
  throw new HypeError("image_build_failed", `a kernel module has no section ${wanted}`);
}
