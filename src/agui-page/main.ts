import { buildResumeArray, HttpAgent } from "@ag-ui/client";
import { byId } from "./element.ts";
import { showMachines } from "./machines.ts";
import { Thread } from "./thread.ts";

/** Between two attempts to watch, ms. */
const RETRY_MS = 2_000;

const thread = new Thread();
const connection = byId("connection");
const words = byId<HTMLInputElement>("words");

/** The key in the fragment never leaves the browser; it is taken out of the address at once. */
function keyFromAddress(): string | null {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (key) history.replaceState(null, "", location.pathname);
  return key;
}

function start(key: string): void {
  byId("login").hidden = true;
  document.querySelector("main")!.hidden = false;
  const headers = { authorization: `Bearer ${key}` };
  watch(headers);
  const agent = new HttpAgent({ url: "/agui", headers });
  agent.subscribe({ ...thread.subscriber(), onStateChanged: ({ state }) => showMachines(state) });
  const setBusy = (isBusy: boolean) => {
    byId<HTMLButtonElement>("send").hidden = isBusy;
    byId<HTMLButtonElement>("stop").hidden = !isBusy;
    document.body.dataset.busy = String(isBusy);
  };
  const run = async () => {
    setBusy(true);
    try {
      await agent.runAgent();
      while (agent.pendingInterrupts.length > 0) {
        const answers: Parameters<typeof buildResumeArray>[1] = {};
        for (const { id, message = "Go on?", metadata } of agent.pendingInterrupts) {
          const link = typeof metadata?.url === "string" ? ` ${metadata.url}` : "";
          answers[id] = { status: "resolved", payload: { approve: await thread.question(message + link) } };
        }
        await agent.runAgent({ resume: buildResumeArray(agent.pendingInterrupts, answers) });
      }
    } catch (thrown) {
      thread.add("failed", thrown instanceof Error ? thrown.message : String(thrown));
    } finally {
      setBusy(false);
      words.focus();
    }
  };
  byId("stop").addEventListener("click", () => agent.abortRun());
  byId("say").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = words.value.trim();
    if (!text || agent.isRunning) return;
    words.value = "";
    thread.add("mine", text);
    agent.addMessage({ id: crypto.randomUUID(), role: "user", content: text });
    void run();
  });
  words.focus();
}

/** A run that stays open keeps the machines as they are. It is begun again when it ends. */
function watch(headers: Record<string, string>): void {
  const agent = new HttpAgent({ url: "/agui", headers });
  agent.subscribe({
    onRunStartedEvent: () => {
      connection.textContent = "Connected";
    },
    onStateChanged: ({ state }) => showMachines(state),
  });
  const again = async () => {
    await agent.runAgent({ forwardedProps: { watch: true } }).catch(() => {});
    connection.textContent = "Connection lost; trying again";
    setTimeout(() => void again(), RETRY_MS);
  };
  void again();
}

const key = keyFromAddress();
if (key) start(key);
else
  byId("login").addEventListener("submit", (event) => {
    event.preventDefault();
    start(byId<HTMLInputElement>("key").value.trim());
  });
