/** Width and height in the head of a PNG (ISO/IEC 15948, 11.2.2: IHDR is the first chunk); null for anything else. */
export function pngSize(picture: Uint8Array): { width: number; height: number } | null {
  const view = new DataView(picture.buffer, picture.byteOffset, picture.byteLength);
  const isPng = view.byteLength >= 24 && view.getUint32(0) === 0x89504e47 && view.getUint32(12) === 0x49484452;
  return isPng ? { width: view.getUint32(16), height: view.getUint32(20) } : null;
}
