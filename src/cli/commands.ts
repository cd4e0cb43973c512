import type { CommandClass } from "clipanion";
import { ArtifactsDeleteCommand } from "./artifacts/delete.ts";
import { ArtifactsDownloadCommand } from "./artifacts/download.ts";
import { ArtifactsGetCommand } from "./artifacts/get.ts";
import { ArtifactsListCommand } from "./artifacts/list.ts";
import { AuditCommand } from "./audit.ts";
import { BackCommand, ForwardCommand, ReloadCommand } from "./browser/history.ts";
import { CallCommand } from "./browser/call.ts";
import { CookiesCommand } from "./browser/cookies.ts";
import { CdpCommand } from "./browser/cdp.ts";
import { CheckCommand } from "./browser/check.ts";
import { ClickCommand } from "./browser/click.ts";
import { ContentCommand } from "./browser/content.ts";
import { DragCommand } from "./browser/drag.ts";
import { EmulateCommand } from "./browser/emulate.ts";
import { EvalCommand } from "./browser/eval.ts";
import { FillCommand } from "./browser/fill.ts";
import { FindCommand } from "./browser/find.ts";
import { FocusCommand } from "./browser/focus.ts";
import { HarCommand } from "./browser/har.ts";
import { HoverCommand } from "./browser/hover.ts";
import { LinksCommand } from "./browser/links.ts";
import { ObserveCommand } from "./browser/observe.ts";
import { OpenCommand } from "./browser/open.ts";
import { PdfCommand } from "./browser/pdf.ts";
import { PressCommand } from "./browser/press.ts";
import { RecordCommand } from "./browser/record.ts";
import { ScreenshotCommand } from "./browser/screenshot.ts";
import { ScrollCommand } from "./browser/scroll.ts";
import { SelectCommand } from "./browser/select.ts";
import { SnapshotCommand } from "./browser/snapshot.ts";
import { TabsCommand } from "./browser/tabs.ts";
import { TypeCommand } from "./browser/type.ts";
import { UploadCommand } from "./browser/upload.ts";
import { WaitCommand } from "./browser/wait.ts";
import { CompletionCommand } from "./completion.ts";
import type { CliContext } from "./context.ts";
import { DialogAnswerCommand } from "./dialog/answer.ts";
import { DialogPolicyCommand } from "./dialog/policy.ts";
import { DoctorCommand } from "./doctor.ts";
import { DownloadsDeleteCommand } from "./downloads/delete.ts";
import { DownloadsGetCommand } from "./downloads/get.ts";
import { DownloadsKeepCommand } from "./downloads/keep.ts";
import { UploadsDeleteCommand } from "./uploads/delete.ts";
import { UploadsListCommand } from "./uploads/list.ts";
import { DownloadsListCommand } from "./downloads/list.ts";
import { DownloadsWaitCommand } from "./downloads/wait.ts";
import { EgressGetCommand } from "./egress/get.ts";
import { EgressSetCommand } from "./egress/set.ts";
import { ImageBuildCommand } from "./image/build.ts";
import { ImageInspectCommand } from "./image/inspect.ts";
import { ImageListCommand } from "./image/list.ts";
import { ImageRemoveCommand } from "./image/rm.ts";
import { ImageVerifyCommand } from "./image/verify.ts";
import { KeysCreateCommand } from "./keys/create.ts";
import { KeysListCommand } from "./keys/list.ts";
import { KeysRevokeCommand } from "./keys/revoke.ts";
import { LicensesCommand } from "./licenses.ts";
import { LiveListCommand } from "./live/list.ts";
import { LiveCommand } from "./live/live.ts";
import { LiveRevokeCommand } from "./live/revoke.ts";
import { McpConfigCommand } from "./mcp/config.ts";
import { McpCommand } from "./mcp/run.ts";
import { NetworkDownCommand } from "./network/down.ts";
import { NetworkUpCommand } from "./network/up.ts";
import { ProxyGetCommand } from "./proxy/get.ts";
import { ProxySetCommand } from "./proxy/set.ts";
import { ProxyUnsetCommand } from "./proxy/unset.ts";
import { ProfilesDeleteCommand } from "./profiles/delete.ts";
import { ProfilesExportCommand } from "./profiles/export.ts";
import { ProfilesGetCommand } from "./profiles/get.ts";
import { ProfilesImportCommand } from "./profiles/import.ts";
import { ProfilesListCommand } from "./profiles/list.ts";
import { ProfilesRotateKeyCommand } from "./profiles/rotate-key.ts";
import { ProfilesSaveCommand } from "./profiles/save.ts";
import { RulesAddCommand } from "./rules/add.ts";
import { RulesListCommand } from "./rules/list.ts";
import { RulesRemoveCommand } from "./rules/remove.ts";
import { ServeCommand } from "./serve.ts";
import { SetupCommand } from "./setup.ts";
import { StateClearCommand } from "./state/clear.ts";
import { StateExportCommand } from "./state/export.ts";
import { StateImportCommand } from "./state/import.ts";
import { TabCloseCommand } from "./tab/close.ts";
import { TabOpenCommand } from "./tab/open.ts";
import { TabUseCommand } from "./tab/use.ts";
import { TryCommand } from "./try.ts";
import { TuiCommand } from "./tui.ts";
import { VersionCommand } from "./version.ts";
import { CreateCommand } from "./vms/create.ts";
import { DeleteCommand } from "./vms/delete.ts";
import { GetCommand } from "./vms/get.ts";
import { ListCommand } from "./vms/list.ts";
import { LogsCommand } from "./vms/logs.ts";
import { PauseCommand } from "./vms/pause.ts";
import { ResizeCommand } from "./vms/resize.ts";
import { RestartCommand } from "./vms/restart.ts";
import { ResumeCommand } from "./vms/resume.ts";
import { ShellCommand } from "./vms/shell.ts";
import { StartCommand } from "./vms/start.ts";
import { StopCommand } from "./vms/stop.ts";
import { WatchCommand } from "./vms/watch.ts";

/** Every command, in the order help and docs show them. A file of a command declares words only; what it needs it imports when it runs. */
export const COMMANDS: readonly CommandClass<CliContext>[] = [
  TryCommand,
  TuiCommand,
  OpenCommand,
  ReloadCommand,
  BackCommand,
  ForwardCommand,
  SnapshotCommand,
  ClickCommand,
  FillCommand,
  TypeCommand,
  PressCommand,
  SelectCommand,
  CheckCommand,
  HoverCommand,
  FocusCommand,
  ScrollCommand,
  DragCommand,
  WaitCommand,
  ScreenshotCommand,
  RecordCommand,
  PdfCommand,
  EvalCommand,
  ContentCommand,
  LinksCommand,
  FindCommand,
  TabsCommand,
  TabOpenCommand,
  TabUseCommand,
  TabCloseCommand,
  DialogPolicyCommand,
  DialogAnswerCommand,
  EmulateCommand,
  RulesAddCommand,
  RulesListCommand,
  RulesRemoveCommand,
  ObserveCommand,
  HarCommand,
  CallCommand,
  UploadCommand,
  UploadsListCommand,
  UploadsDeleteCommand,
  DownloadsListCommand,
  DownloadsGetCommand,
  DownloadsWaitCommand,
  DownloadsKeepCommand,
  DownloadsDeleteCommand,
  StateExportCommand,
  StateImportCommand,
  StateClearCommand,
  CookiesCommand,
  ProfilesSaveCommand,
  ProfilesListCommand,
  ProfilesGetCommand,
  ProfilesExportCommand,
  ProfilesImportCommand,
  ProfilesDeleteCommand,
  ArtifactsListCommand,
  ArtifactsGetCommand,
  ArtifactsDownloadCommand,
  ArtifactsDeleteCommand,
  CdpCommand,
  LiveCommand,
  LiveListCommand,
  LiveRevokeCommand,
  CreateCommand,
  ListCommand,
  GetCommand,
  WatchCommand,
  LogsCommand,
  ShellCommand,
  StopCommand,
  StartCommand,
  RestartCommand,
  PauseCommand,
  ResumeCommand,
  ResizeCommand,
  DeleteCommand,
  EgressGetCommand,
  EgressSetCommand,
  ProxyGetCommand,
  ProxySetCommand,
  ProxyUnsetCommand,
  ImageBuildCommand,
  ImageListCommand,
  ImageInspectCommand,
  ImageVerifyCommand,
  ImageRemoveCommand,
  McpCommand,
  McpConfigCommand,
  KeysCreateCommand,
  KeysListCommand,
  KeysRevokeCommand,
  ProfilesRotateKeyCommand,
  AuditCommand,
  NetworkUpCommand,
  NetworkDownCommand,
  ServeCommand,
  SetupCommand,
  DoctorCommand,
  CompletionCommand,
  LicensesCommand,
  VersionCommand,
];
