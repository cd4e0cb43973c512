/** 128 random bits as 32 digits. Not by randomUUID: over plain HTTP from another machine the page is no secure context. */
export const randomHex = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
