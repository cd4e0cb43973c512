/** SMBIOS structures as the firmware left them; readable by root only. */
export const DMI_TABLE = "/sys/firmware/dmi/tables/DMI";
const OEM_STRINGS = 11;
const END_OF_TABLE = 127;

/**
 * The OEM strings (type 11) of an SMBIOS structure table. Each structure is a formatted area, whose second byte is its
 * length, then its strings, each ended by a zero byte, the last by one more (SMBIOS specification 3.7, sections 6.1 and 7.12).
 */
export function oemStrings(table: Uint8Array): string[] {
  const found: string[] = [];
  for (let at = 0; at + 4 <= table.length;) {
    const type = table[at]!;
    const length = table[at + 1]!;
    if (length < 4 || type === END_OF_TABLE) break;
    let start = at + length;
    if (table[start] === 0) start += 1; // no strings at all: two zero bytes stand for the empty set
    while (start < table.length && table[start] !== 0) {
      const end = table.indexOf(0, start);
      if (end === -1) return found;
      if (type === OEM_STRINGS) found.push(Buffer.from(table.subarray(start, end)).toString("latin1"));
      start = end + 1;
    }
    at = start + 1;
  }
  return found;
}
