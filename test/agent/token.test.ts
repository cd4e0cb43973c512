import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { oemStrings } from "../../agent/oem-strings.ts";
import { Token } from "../../agent/token.ts";
import { TOKEN_OEM_PREFIX } from "../../src/contract/index.ts";

const directory = mkdtempSync(join(tmpdir(), "hype-token-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** One SMBIOS structure: type, length, handle, formatted area, strings. */
function structure(type: number, formatted: number[], strings: string[]): Buffer {
  const text = strings.length > 0 ? `${strings.join("\0")}\0\0` : "\0\0";
  return Buffer.concat([Buffer.from([type, 4 + formatted.length, 0, 0, ...formatted]), Buffer.from(text, "latin1")]);
}
const table = (...oem: string[]) =>
  Buffer.concat([
    structure(0, [1, 2, 3], ["vendor", "version"]),
    structure(2, [0, 0], []),
    structure(11, [oem.length], oem),
    structure(127, [], []),
  ]);
const secret = "s".repeat(43);

test.each<[string, Buffer, string[]]>([
  ["among other structures", table("a", "b=c"), ["a", "b=c"]],
  ["none", structure(127, [], []), []],
  ["an empty table", Buffer.alloc(0), []],
  ["cut in the middle of a string", table("abc", "def").subarray(0, -9), ["abc"]],
  ["a length that is none", Buffer.from([11, 0, 0, 0, 65, 0, 0]), []],
])("OEM strings: %s", (_name, bytes, strings) => {
  expect(oemStrings(bytes)).toEqual(strings);
});

test("the token comes from the firmware; a replaced one outlives the agent, readable by its owner only", () => {
  const file = join(directory, "run", "token");
  const dmi = join(directory, "DMI");
  writeFileSync(dmi, table("other", TOKEN_OEM_PREFIX + secret));
  const token = Token.load(file, dmi);
  expect(token.accepts(`Bearer ${secret}`)).toBe(true);

  token.replace("t".repeat(40));
  expect(token.accepts(`Bearer ${secret}`)).toBe(false);
  expect(readFileSync(file, "utf8")).toBe("t".repeat(40));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(Token.load(file, dmi).accepts(`Bearer ${"t".repeat(40)}`)).toBe(true);
});

test.each([undefined, "", "Bearer", "Bearer ", `bearer ${secret}`, `Basic ${secret}`, secret, `Bearer ${secret} `])(
  "not accepted: %p",
  (header) => {
    const dmi = join(directory, "DMI2");
    writeFileSync(dmi, table(TOKEN_OEM_PREFIX + secret));
    expect(Token.load(join(directory, "none"), dmi).accepts(header)).toBe(false);
  },
);

test("no token, or one that could be guessed: the agent does not start", () => {
  expect(() => Token.load(join(directory, "none"), join(directory, "no-dmi"))).toThrow(/no token of at least 32/);
  const dmi = join(directory, "DMI3");
  writeFileSync(dmi, table(`${TOKEN_OEM_PREFIX}short`));
  expect(() => Token.load(join(directory, "none"), dmi)).toThrow(/no token/);
});
