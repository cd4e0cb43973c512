/** Recordings of a tab. */
export {};
