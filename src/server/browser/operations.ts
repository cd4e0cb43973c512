import * as v from "valibot";
import {
  ACTION_NAMES,
  type ActionName,
  actionSchema,
  Acted,
  Actions,
  AddRule,
  AnswerDialog,
  CancelDownload,
  ClearCookies,
  ClearState,
  ClosedTab,
  CookieList,
  CookiesCleared,
  CookiesSet,
  DeleteDownload,
  DeleteRecording,
  DeleteUpload,
  Download,
  DownloadList,
  Emulate,
  EmulationNow,
  EntryList,
  ExportHar,
  ExportState,
  Find,
  FoundList,
  GetBody,
  GetCookies,
  GetDownload,
  GetEmulation,
  GetRecording,
  GetStorage,
  ImportState,
  LinkList,
  Links,
  ListDownloads,
  ListEntries,
  ListRecordings,
  ListRules,
  ListUploads,
  Navigated,
  Observing,
  OnTab,
  OpenedTab,
  OpenTab,
  PageSnapshot,
  Pdf,
  Recording,
  RECORDING_TYPES,
  RecordingList,
  RemoveRules,
  ResetEmulation,
  Revisit,
  Rule,
  RuleList,
  SetCookies,
  SetDialogPolicy,
  SetStorage,
  Snapshot,
  StartObserving,
  StartRecording,
  StateCleared,
  StateExported,
  StateImported,
  StopObserving,
  StopRecording,
  StorageList,
  TabState,
  UploadList,
  Wait,
  Waited,
} from "../../contract/index.ts";
import { bytesOperation, keepable, operation, type Operation } from "./operation.ts";

/** What is done where nothing is to be told. */
const Done = v.strictObject({});
const done = async (work: Promise<void>) => {
  await work;
  return {};
};
const Har = v.looseObject({ log: v.looseObject({ version: v.string(), entries: v.array(v.unknown()) }) });

const ACTION_SUMMARIES: Record<ActionName, string> = {
  click: "Click an element or a point, once it can be clicked",
  hover: "Move the mouse over an element or a point",
  drag: "Drag an element or a point to another",
  type: "Type into an element, key by key",
  fill: "Set the value of a field",
  press: "Press a key or a chord",
  select: "Choose options of a select",
  check: "Check or uncheck a box",
  scroll: "Scroll the page or an element",
  focus: "Focus an element",
  upload: "Put uploads, or files of the guest, into a file input",
  mouse: "Move, press or release the mouse, by coordinates",
  keyboard: "Hold, release a key, or insert text where the focus is",
  pause: "Wait between two actions",
};
type ActionOperations = { [A in ActionName]: Operation<ReturnType<typeof actionSchema<A>>, typeof Acted> };
const actions = Object.fromEntries(
  ACTION_NAMES.map((name) => [
    name,
    operation(ACTION_SUMMARIES[name], actionSchema(name), Acted, (guest, request, signal) =>
      guest.page.act(name, request, signal),
    ),
  ]),
) as ActionOperations;

/** `POST /api/v1/vms/:name/browser/<name>`: everything but what came first (navigate, evaluate, content, screenshot, list of tabs). */
export const BROWSER_OPERATIONS = {
  "open-tab": operation("Open a tab", OpenTab, OpenedTab, (guest, ...call) => guest.openTab(...call)),
  "activate-tab": operation("Make a tab the one in use", OnTab, TabState, (guest, ...call) =>
    guest.activateTab(...call),
  ),
  "close-tab": operation("Close a tab", OnTab, ClosedTab, (guest, ...call) => guest.closeTab(...call)),
  reload: operation("Reload the page", Revisit, Navigated, (guest, ...call) => guest.reload(...call)),
  back: operation("Go back in the tab's history", Revisit, Navigated, (guest, ...call) => guest.back(...call)),
  forward: operation("Go forward in the tab's history", Revisit, Navigated, (guest, ...call) => guest.forward(...call)),
  stop: operation("Stop loading", OnTab, TabState, (guest, ...call) => guest.stop(...call)),

  snapshot: operation("Accessibility tree of the page, with refs to act on", Snapshot, PageSnapshot, (guest, ...call) =>
    guest.page.snapshot(...call),
  ),
  links: operation("Links of the page", Links, LinkList, (guest, ...call) => guest.page.links(...call)),
  find: operation("Find elements by text or regular expression", Find, FoundList, (guest, ...call) =>
    guest.page.find(...call),
  ),
  pdf: bytesOperation(
    "Print the page",
    Pdf,
    "application/pdf",
    (guest, ...call) => guest.page.pdf(...call),
    "pdf",
    ".pdf",
  ),
  wait: operation("Wait for something of the page", Wait, Waited, (guest, ...call) => guest.page.wait(...call)),
  ...actions,
  actions: operation("Several actions, one after the other", Actions, Acted, (guest, ...call) =>
    guest.page.actions(...call),
  ),

  "get-cookies": operation("Cookies", GetCookies, CookieList, (guest, ...call) => guest.state.getCookies(...call)),
  "set-cookies": operation("Set cookies, all or none", SetCookies, CookiesSet, (guest, ...call) =>
    guest.state.setCookies(...call),
  ),
  "clear-cookies": operation("Clear cookies", ClearCookies, CookiesCleared, (guest, ...call) =>
    guest.state.clearCookies(...call),
  ),
  "get-storage": operation("Local and session storage", GetStorage, StorageList, (guest, ...call) =>
    guest.state.getStorage(...call),
  ),
  "set-storage": operation("Set items of a storage", SetStorage, Done, (guest, ...call) =>
    done(guest.state.setStorage(...call)),
  ),
  "export-state": operation("Cookies and storage in Playwright's form", ExportState, StateExported, (guest, ...call) =>
    guest.state.export(...call),
  ),
  "import-state": operation("Take over an exported state", ImportState, StateImported, (guest, ...call) =>
    guest.state.import(...call),
  ),
  "clear-state": operation("Clear parts of the state", ClearState, StateCleared, (guest, ...call) =>
    guest.state.clear(...call),
  ),

  emulate: operation("Emulate a device, a place, a network", Emulate, EmulationNow, (guest, ...call) =>
    guest.overlay.emulate(...call),
  ),
  "get-emulation": operation("What is emulated", GetEmulation, EmulationNow, (guest, ...call) =>
    guest.overlay.emulation(...call),
  ),
  "reset-emulation": operation("End emulation", ResetEmulation, EmulationNow, (guest, ...call) =>
    guest.overlay.resetEmulation(...call),
  ),
  "add-rule": operation("Block, mock or change requests", AddRule, Rule, (guest, ...call) =>
    guest.overlay.addRule(...call),
  ),
  "list-rules": operation("Rules for requests", ListRules, RuleList, (guest, ...call) => guest.overlay.rules(...call)),
  "remove-rules": operation("Remove rules for requests", RemoveRules, Done, (guest, ...call) =>
    done(guest.overlay.removeRules(...call)),
  ),

  "start-observing": operation(
    "Begin to record console, exceptions, requests, sockets",
    StartObserving,
    Observing,
    (guest, ...call) => guest.observe.start(...call),
  ),
  "stop-observing": operation("End recording", StopObserving, Observing, (guest, ...call) =>
    guest.observe.stop(...call),
  ),
  "list-entries": operation("What was recorded", ListEntries, EntryList, (guest, ...call) =>
    guest.observe.list(...call),
  ),
  "get-body": bytesOperation(
    "Body of a recorded request or its response",
    GetBody,
    "application/octet-stream",
    (guest, ...call) => guest.observe.body(...call),
  ),
  "export-har": keepable(
    operation("Recorded requests as HAR 1.2", ExportHar, Har, (guest, ...call) => guest.observe.har(...call)),
    "har",
    (har) => ({
      contentType: "application/json",
      ending: ".har",
      bytes: new TextEncoder().encode(JSON.stringify(har)),
    }),
  ),
  "set-dialog-policy": operation("Accept, dismiss or ask at dialogs", SetDialogPolicy, Done, (guest, ...call) =>
    done(guest.observe.setDialogPolicy(...call)),
  ),
  "answer-dialog": operation("Answer a dialog that waits", AnswerDialog, Done, (guest, ...call) =>
    done(guest.observe.answerDialog(...call)),
  ),

  "list-downloads": operation("Downloads in the guest", ListDownloads, DownloadList, (guest, ...call) =>
    guest.downloads.list(...call),
  ),
  "get-download": operation("One download; may wait for its end", GetDownload, Download, (guest, ...call) =>
    guest.downloads.get(...call),
  ),
  "cancel-download": operation("Cancel a download", CancelDownload, Download, (guest, ...call) =>
    guest.downloads.cancel(...call),
  ),
  "delete-download": operation("Delete a download with its file", DeleteDownload, Done, (guest, ...call) =>
    done(guest.downloads.delete(...call)),
  ),

  "start-recording": operation("Record a tab as a film", StartRecording, Recording, (guest, ...call) =>
    guest.recordings.start(...call),
  ),
  "stop-recording": keepable(
    operation("End a recording", StopRecording, Recording, (guest, ...call) => guest.recordings.stop(...call)),
    "recording",
    async ({ id, format }, guest, signal) => ({
      contentType: RECORDING_TYPES[format],
      ending: `.${format}`,
      bytes: (await guest.recordings.read({ id, from: 0 }, signal)).bytes,
      fileId: id,
    }),
  ),
  "get-recording": operation("One recording; may wait for its end", GetRecording, Recording, (guest, ...call) =>
    guest.recordings.get(...call),
  ),
  "list-recordings": operation("Recordings in the guest", ListRecordings, RecordingList, (guest, ...call) =>
    guest.recordings.list(...call),
  ),
  "delete-recording": operation("Delete a recording with its file", DeleteRecording, Done, (guest, ...call) =>
    done(guest.recordings.delete(...call)),
  ),

  "list-uploads": operation("Files put into the guest", ListUploads, UploadList, (guest, ...call) =>
    guest.uploads.list(...call),
  ),
  "delete-upload": operation("Delete a file that was put into the guest", DeleteUpload, Done, (guest, ...call) =>
    done(guest.uploads.delete(...call)),
  ),
} satisfies Record<string, Operation>;

export type BrowserOperations = typeof BROWSER_OPERATIONS;
export type BrowserOperationName = keyof BrowserOperations;
