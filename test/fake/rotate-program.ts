/** A server that changes the key of its profiles and gets no further than some of them: it says so, and waits to be killed. `bun rotate-program.ts HOME` */
import { loadConfig } from "../../src/config/load.ts";
import { silentLog } from "../../src/log/log.ts";
import { Profiles } from "../../src/profiles/profiles.ts";
import { openStore } from "../../src/store/open.ts";

const SEALED_BEFORE_DEATH = 7;

const config = loadConfig({ OVERHYPED_HOME: process.argv[2] });
const store = openStore(config.dbPath);
const find = store.profiles.find.bind(store.profiles);
let asked = 0;
store.profiles.find = (name) => {
  if (asked++ === SEALED_BEFORE_DEATH) {
    process.stdout.write("half way\n");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
  return find(name);
};
await new Profiles({ config, store, log: silentLog }).rotateKey();
