import { byId, element } from "./element.ts";

type Vm = { status: string; url: string | null; title: string | null; ip_address: string; control: unknown };
type State = { vms?: Record<string, Vm>; node?: { vms_total: number; cpu_cores: number; hypervisor: string | null } };

/** Shows the shared state as it is now. */
export function showMachines(state: State): void {
  const items = Object.entries(state.vms ?? {}).map(([name, vm]) => {
    const item = element("li");
    item.dataset.vm = name;
    item.append(element("span", `status ${vm.status}`, vm.control ? `${vm.status}, in a person's hands` : vm.status));
    item.append(element("strong", "", name));
    item.append(element("small", "page", [vm.title, vm.url].filter(Boolean).join(" · ") || vm.ip_address));
    return item;
  });
  byId("vms").replaceChildren(
    ...(items.length > 0 ? items : [element("li", "", "None yet: say “create a vm named web”.")]),
  );
  const { node } = state;
  byId("node").textContent = node
    ? `${node.vms_total} in all · ${node.hypervisor ?? "no hypervisor"} · ${node.cpu_cores} cores`
    : "";
}
