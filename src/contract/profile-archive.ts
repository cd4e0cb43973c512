/**
 * Of the archive of a whole profile: tar, compressed by Zstandard (RFC 8878, section 7.1). A file of its own: client and commands have no use
 * for the schemas, which cost time to load.
 */
export const ARCHIVE_TYPE = "application/zstd";
/** First bytes of a Zstandard frame (RFC 8878, section 3.1.1). */
export const ARCHIVE_MAGIC = [0x28, 0xb5, 0x2f, 0xfd] as const;
