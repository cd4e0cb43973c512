/**
 * A stand-in for the program `cloud-hypervisor` v53, for machines without KVM: a real program with the same command line, exit codes,
 * API socket, HTTP habits, state machine, event file and sockets. At vm.boot it boots the guest for real, through QEMU's emulation.
 * What it may rely on stands in the project's facts sheet of Cloud Hypervisor; where it is stricter than the original (it takes no
 * unknown field), it says so in the file `violations`, and a test that finds a line there has failed.
 *
 * What it cannot do: snapshots, restore, migration and hotplug (answered with 500 and a violation), serial ports of mode Socket and Pty
 * (a violation), firmware, virtiofs and QEMU's side of a vsock (its socket is bound, nobody answers). `virtio-device/activated` comes
 * with the boot, not when a driver of the guest takes the device up.
 *
 * Use: test/lib/fake-cloud-hypervisor.ts makes an executable of it with moods baked in, reads violations and gives orders.
 * By hand: `FAKE_CH_DIR=/tmp/x bun test/fake/cloud-hypervisor/main.ts --api-socket path=S --event-monitor path=E`.
 *
 * Where it keeps its own things: FAKE_CH_DIR (the wrapper sets it; without it there are no orders and `violations` lies in the
 * working directory): `fake-ch.json` (moods), `violations`, `starts` (one JSON line per start: pid, argv), `orders/PID.sock`.
 *
 * Moods (type Moods in moods.ts) come from, the later wins: FAKE_CH_DIR/fake-ch.json, ./fake-ch.json, FAKE_CH_MOODS (JSON), and
 * single ones as FAKE_CH_VERSION, FAKE_CH_GUEST, FAKE_CH_QEMU, FAKE_CH_START.
 *
 * Orders: HTTP on the socket orders/PID.sock (orders.ts): POST /guest/power-off|reset|panic|die, POST /release/CALL,
 * GET /held/CALL (answers once that call is being held), POST /moods (JSON, merged), GET /calls (what was asked so far).
 */
import { Api } from "./api.ts";
import { HELP, parseArguments, UsageError } from "./arguments.ts";
import { EventMonitor } from "./event-monitor.ts";
import { HttpServer } from "./http.ts";
import { Log } from "./log.ts";
import { loadMoods, majorOf } from "./moods.ts";
import { OrderDoor } from "./orders.ts";
import { Records } from "./records.ts";
import { claimSocket } from "./socket-claim.ts";
import { Vmm } from "./vmm.ts";

process.umask(0o077);
const moods = loadMoods();
const records = new Records();

function quit(code: number, message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

const argv = process.argv.slice(2);
if (argv.length === 0) quit(2, HELP);
if (argv.includes("--version") || argv.includes("-V")) {
  const { text, code } = moods.versionOutput ?? { code: 0 };
  const features = argv.some((word) => /^-v+$/.test(word)) ? '\nEnabled features: ["io_uring", "kvm", "mshv"]' : "";
  process.stdout.write(text ?? `cloud-hypervisor ${moods.version}\nMigration Protocol Versions: 0${features}\n`);
  process.exit(code);
}
if (argv.includes("--help") || argv.includes("-h")) {
  process.stdout.write(`${HELP}\n`);
  process.exit(0);
}

let options: ReturnType<typeof parseArguments>;
try {
  options = parseArguments(argv);
} catch (thrown) {
  if (!(thrown instanceof UsageError)) throw thrown;
  quit(thrown.exitCode, thrown.message);
}
records.start(argv);
if (moods.start.dies) quit(moods.start.dies.code, moods.start.dies.message);

const monitor = EventMonitor.open(options.eventMonitor);
const log = Log.open(options.logFile, options.verbosity);
log.info(`Using seccomp ${options.seccomp}`);
monitor.event("vmm", "starting");

const vmm = new Vmm({ moods, monitor, log, records, noShutdown: options.noShutdown, end });
const api = new Api(vmm, moods, records, log, majorOf(moods.version));
const door = await OrderDoor.open(moods, vmm, api);
let releaseSocket = () => {};
let server: HttpServer | null = null;
let ending = false;
const bodyLimitBytes = majorOf(moods.version) > 53 ? 4 * 1_048_576 : 51_200;

/** The one way out: what is open is closed, the sockets go, unless the mood is to leave them. */
async function end(code: number): Promise<void> {
  if (ending) return;
  ending = true;
  await server?.flush();
  if (!moods.leaveSockets) releaseSocket();
  door?.close();
  process.exit(code);
}

for (const signal of ["SIGTERM", "SIGINT"] as const)
  process.on(signal, () => {
    if (!moods.ignoreSignals) void vmm.inTurn(() => vmm.shutDownVmm()).then(() => end(0));
  });

if (options.apiSocket && !moods.start.noSocket) {
  try {
    releaseSocket = claimSocket(options.apiSocket, majorOf(moods.version));
    server = new HttpServer(options.apiSocket, bodyLimitBytes, (request) => api.answer(request));
  } catch (thrown) {
    door?.close();
    quit(1, `Error: Cloud Hypervisor exited with the following error:\n  ${(thrown as Error).message}`);
  }
  log.info(`API server listens at ${options.apiSocket}`);
}
if (options.vm) {
  const { vm } = options;
  void vmm.inTurn(async () => {
    try {
      await vmm.create(vm);
      await vmm.boot();
    } catch (thrown) {
      process.stderr.write(
        `Error: Cloud Hypervisor exited with the following error:\n  ${(thrown as Error).message}\n`,
      );
      await end(1);
    }
  });
}
// Without socket and guest nothing else would keep the program alive.
setInterval(() => {}, 2 ** 30);
