import { streamFile } from "../artifacts/read.ts";
import { HypeError, type Vm } from "../contract/index.ts";
import type { StoredArtifact } from "../store/artifacts.ts";
import type { House } from "../tools/house.ts";
import { readAgentLog } from "./agent-log.ts";
import { keepDownload, keepFile } from "./artifacts/keep.ts";
import type { Identity } from "./auth/identity.ts";
import { holds } from "./auth/scopes.ts";
import { activityWithin, listWithin, statusWithin, streamWithin } from "./auth/view-queries.ts";
import { whileUsable } from "./browser/while-usable.ts";
import type { ServerContext } from "./context.ts";
import { readLog } from "./follow.ts";
import { whenControl } from "./live/wait.ts";

/** Bytes of a log that are looked at for its last lines. */
const LOG_BYTES = 4 * 1024 * 1024;

/** Where the caller reached us: what addresses it is given begin with. */
export const originOf = (request: Request, isSecure: boolean): string =>
  `${isSecure ? "https" : "http"}://${request.headers.get("host") ?? new URL(request.url).host}`;

/**
 * What the tools of one key reach: the engine, through the same view as the HTTP routes.
 * @param origin of addresses for people: {@link originOf}
 */
export function houseFor(context: Omit<ServerContext, "cdpTokens">, identity: Identity, origin: string): House {
  const { engine, images, profiles, artifacts, live, closing } = context;
  const { view } = identity;
  /** A VM's id, if the key sees it. @throws HypeError vm_not_found */
  const seen = (ref: string): Vm => {
    const vm = engine.get(ref);
    view?.mustSee(vm, ref);
    return vm;
  };
  const id = (ref: string): string => seen(ref).id;
  const seesArtifact = view
    ? ({ vm_name: name, vm_labels: labels }: StoredArtifact) => view.allows({ name, labels })
    : undefined;
  /** A profile may hold anybody's logins: a key that sees some VMs only has none. @throws HypeError forbidden */
  const mustHaveProfiles = () => {
    if (view)
      throw new HypeError("forbidden", "this key is restricted to some VMs; profiles are for keys that see all");
  };
  return {
    list: (query) => listWithin(engine, view, query),
    get: seen,
    create: async (input, options) => {
      view?.mustCreate(input);
      if (input.profile !== null) mustHaveProfiles();
      return await engine.create(input, options);
    },
    start: async (ref, options) => await engine.start(id(ref), options),
    stop: async (ref, options) => await engine.stop(id(ref), options),
    restart: async (ref, options) => await engine.restart(id(ref), options),
    pause: async (ref) => await engine.pause(id(ref)),
    resume: async (ref) => await engine.resume(id(ref)),
    delete: async (ref) => await engine.delete(id(ref)),
    onBrowser: (ref, caller, work) => whileUsable(context, id(ref), caller, work),
    logs: async (ref, source, lines, signal) => {
      const options = { tail: lines, follow: false, signal };
      const vm = id(ref);
      if (source !== "agent") return await gathered(readLog(engine.logFiles(vm)[source], options));
      return await whileUsable(context, vm, signal, async (guest, usable) =>
        gathered(readAgentLog(guest, await guest.logs("agent", usable), { ...options, signal: usable })),
      );
    },
    images: () => images.list(),
    status: () => statusWithin(engine, view, context.status()),
    activity: () => activityWithin(engine, view, holds(identity.scope, "operate")),
    proxy: (ref) => engine.proxy(id(ref)),
    setProxy: async (ref, proxy) => await engine.setProxy(id(ref), proxy),
    liveLink: (ref, input) => {
      const vm = seen(ref);
      // A link stands and falls with a key of ours; an access token of somebody else's issuer is none.
      if (context.keys.find(identity.id) !== identity)
        throw new HypeError("forbidden", "live links are for keys of this server: call with one of `hype keys create`");
      const { link, token } = live.links.create(vm.id, input, identity);
      return { ...link, url: `${origin}/live/${vm.name}#${token}` };
    },
    takeControl: (ref) => live.desk.takeControl(id(ref), null, false),
    returnControl: (ref) => live.desk.returnControl(id(ref), "returned by a tool"),
    whenControl: async (ref, isTaken, timeoutMs, signal) =>
      await whenControl(engine, id(ref), isTaken, timeoutMs, signal),
    profiles: () => {
      mustHaveProfiles();
      return profiles.list();
    },
    saveProfile: async (vm, profile, signal) => {
      mustHaveProfiles();
      return await whileUsable(context, id(vm), signal, (guest, usable) => profiles.save(profile, guest, usable));
    },
    deleteProfile: (name) => {
      mustHaveProfiles();
      profiles.delete(name);
    },
    artifacts: (query) => artifacts.list(query, seesArtifact),
    artifact: (artifact) => artifacts.get(artifact, seesArtifact),
    readArtifact: async (artifact, mostBytes) => {
      const found = artifacts.get(artifact, seesArtifact);
      const { size_bytes: size, name } = found;
      if (size > mostBytes)
        throw new HypeError(
          "result_too_large",
          `${name} has ${size} bytes: fetch it over HTTP, or with hype artifacts`,
        );
      return await new Response(streamFile(artifacts.open(found), 0, size - 1, closing)).bytes();
    },
    openArtifact: (artifact, signal) => {
      const found = artifacts.get(artifact, seesArtifact);
      return streamFile(artifacts.open(found), 0, found.size_bytes - 1, AbortSignal.any([signal, closing]));
    },
    deleteArtifact: (artifact) => {
      artifacts.get(artifact, seesArtifact);
      artifacts.delete(artifact);
    },
    keep: async (ref, { kind, name, ...file }) =>
      await keepFile(context, seen(ref), kind, name, { ...file, ending: "" }),
    keepDownload: async (ref, download, name, signal) => {
      const vm = seen(ref);
      return await whileUsable(context, vm.id, signal, (guest, usable) =>
        keepDownload(context, vm, guest, download, usable, { name }),
      );
    },
    events: (signal) => {
      const events = engine.subscribe(null, signal);
      return view ? streamWithin(engine, view, events) : events;
    },
  };
}

async function gathered(pieces: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const piece of pieces) {
    const chunk = Buffer.from(piece as Uint8Array);
    length += chunk.length;
    if (length > LOG_BYTES)
      throw new HypeError("result_too_large", `the lines are longer than ${LOG_BYTES} bytes: ask for fewer`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
