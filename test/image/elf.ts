/** The smallest 64-bit ELF file that has a section `.modinfo` (elf(5)): header, two sections, their table. */
export function elfWithModuleInfo(values: string[]): Buffer {
  const names = Buffer.from("\0.shstrtab\0.modinfo\0");
  const info = Buffer.from(values.map((value) => `${value}\0`).join(""));
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeBigUInt64LE(BigInt(64 + names.length + info.length), 0x28); // where the table is
  header.writeUInt16LE(64, 0x3a); // bytes per entry
  header.writeUInt16LE(3, 0x3c); // entries
  header.writeUInt16LE(1, 0x3e); // which one holds the names
  const section = (name: number, offset: number, bytes: number) => {
    const entry = Buffer.alloc(64);
    entry.writeUInt32LE(name, 0);
    entry.writeBigUInt64LE(BigInt(offset), 0x18);
    entry.writeBigUInt64LE(BigInt(bytes), 0x20);
    return entry;
  };
  const table = [section(0, 0, 0), section(1, 64, names.length), section(11, 64 + names.length, info.length)];
  return Buffer.concat([header, names, info, ...table]);
}
