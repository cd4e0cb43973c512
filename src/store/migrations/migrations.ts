import first from "./001-first.sql" with { type: "text" };
import productionHost from "./002-production-host.sql" with { type: "text" };
import wholeBrowser from "./003-whole-browser.sql" with { type: "text" };

export type Migration = { id: number; name: string; sql: string };

/** In order; ids are 1, 2, 3, … and stand in `user_version`. A migration that was released is never edited: add another. */
export const MIGRATIONS: readonly Migration[] = [
  { id: 1, name: "001-first", sql: first },
  { id: 2, name: "002-production-host", sql: productionHost },
  { id: 3, name: "003-whole-browser", sql: wholeBrowser },
];
