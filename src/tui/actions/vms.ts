import { messageOf, type Vm } from "../../contract/index.ts";
import { EMPTY } from "../canvas/line-editor.ts";
import type { Operations } from "../feed/operations.ts";
import { defaultFields } from "../overlays/create/fields.ts";
import { chosen, targets } from "../state/fleet.ts";
import type { Action, ActionContext } from "./context.ts";

/** Does something to the marked VMs or the chosen one. Where it ends what people do and means several, it asks first. */
export const onTargets =
  (
    what: { verb: string; past: string; from: readonly Vm["status"][]; asks?: boolean },
    run: (operations: Operations) => (vms: readonly Vm[]) => Promise<void>,
  ): Action =>
  ({ store, operations }) => {
    const wanted = targets(store.state);
    const able = wanted.filter(({ status }) => what.from.includes(status));
    const proceed = () => void run(operations)(able);
    if (able.length > 1 && what.asks)
      store.update((state) => {
        state.overlay = {
          kind: "confirm",
          title: `${what.verb} ${able.length} VMs?`,
          text: able.map(({ name }) => name).join(", "),
          typed: null,
          proceed,
        };
      });
    else if (able.length > 0) proceed();
    else if (wanted.length > 0)
      store.toast("info", `${wanted[0]!.name} is ${wanted[0]!.status}: it cannot be ${what.past}`);
  };

/** Does something to the one VM that is chosen. */
export const onChosen =
  (run: (vm: Vm, context: ActionContext) => void): Action =>
  (context) => {
    const vm = chosen(context.store.state);
    if (vm) run(vm, context);
  };

export function openCreateForm({ store, operations }: ActionContext): void {
  store.update((state) => {
    state.overlay = {
      kind: "create",
      fields: defaultFields(),
      focus: "name",
      images: [],
      profiles: [],
      isAsked: false,
      cursor: -1,
      isSent: false,
      made: null,
      refusal: null,
      touched: new Set(),
    };
  });
  void operations.choices().then((choices) =>
    store.update((state) => {
      if (state.overlay?.kind === "create") state.overlay = { ...state.overlay, ...choices, isAsked: true };
    }),
  );
}

export function openShell({ store, shell }: ActionContext): void {
  const vm = chosen(store.state);
  if (!vm) return;
  if (vm.status !== "running") return store.toast("info", `${vm.name} is ${vm.status}: it has no shell`);
  shell(vm.name).catch((thrown: unknown) => store.toast("bad", messageOf(thrown)));
}

export function openUrl({ store, operations }: ActionContext): void {
  const vm = chosen(store.state);
  if (!vm) return;
  store.update((state) => {
    state.overlay = {
      kind: "prompt",
      title: `Open in ${vm.name}`,
      hint: "https://…",
      line: EMPTY,
      hidden: false,
      submit: (text) => void operations.open(vm, /^[a-z][a-z0-9+.-]*:/i.test(text) ? text : `https://${text}`),
    };
  });
}

/** What of a VM is wanted elsewhere. One of it lets its reader in for a while, and says so; none holds a key. */
export function copyMenu({ store, copy, operations }: ActionContext): void {
  const vm = chosen(store.state);
  if (!vm) return;
  const { server } = store.state.connection;
  const api = `${server}/api/v1/vms/${vm.name}`;
  const wanted: [string, string, string][] = [
    ["c", "CDP URL for Playwright and Puppeteer", `${api}/cdp`],
    ["a", "address", vm.ip_address],
    ["u", "URL of the page", store.state.usage.get(vm.id)?.page?.url ?? ""],
    ["l", "curl line", `curl -H "Authorization: Bearer $OVERHYPED_API_KEY" ${api}`],
    ["i", "id", vm.id],
    ["n", "name", vm.name],
  ];
  const items = wanted
    .filter(([, , text]) => text !== "")
    .map(([key, label, text]) => ({
      key,
      label,
      run: () => {
        if (copy(text)) store.toast("good", `copied: ${text}`);
        else store.toast("info", `this terminal takes no copies; by hand: ${text}`, true);
      },
    }));
  items.splice(1, 0, { key: "t", label: "CDP URL with a token", run: () => void operations.cdpUrl(vm, copy) });
  store.update((state) => void (state.overlay = { kind: "menu", title: `Copy of ${vm.name}`, items, cursor: 0 }));
}

export function deleteTargets({ store, operations }: ActionContext): void {
  const vms = targets(store.state);
  const [first] = vms;
  if (!first) return;
  const isOne = vms.length === 1;
  store.update((state) => {
    state.overlay = {
      kind: "confirm",
      title: isOne ? `Delete ${first.name}?` : `Delete ${vms.length} VMs?`,
      text: isOne
        ? "The VM and everything in its browser is gone then. Profiles and artifacts that were saved stay."
        : vms.map(({ name }) => name).join(", "),
      typed: isOne ? null : { expected: first.name, line: EMPTY },
      proceed: () => void operations.delete(vms),
    };
  });
}
