import type { CommandClass } from "clipanion";
import { AuditCommand } from "./audit.ts";
import { CdpCommand } from "./browser/cdp.ts";
import { ClickCommand } from "./browser/click.ts";
import { ContentCommand } from "./browser/content.ts";
import { EvalCommand } from "./browser/eval.ts";
import { FillCommand } from "./browser/fill.ts";
import { OpenCommand } from "./browser/open.ts";
import { PdfCommand } from "./browser/pdf.ts";
import { PressCommand } from "./browser/press.ts";
import { ScreenshotCommand } from "./browser/screenshot.ts";
import { SnapshotCommand } from "./browser/snapshot.ts";
import { TabsCommand } from "./browser/tabs.ts";
import { WaitCommand } from "./browser/wait.ts";
import { CompletionCommand } from "./completion.ts";
import type { CliContext } from "./context.ts";
import { DoctorCommand } from "./doctor.ts";
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
import { NetworkDownCommand } from "./network/down.ts";
import { NetworkUpCommand } from "./network/up.ts";
import { ServeCommand } from "./serve.ts";
import { SetupCommand } from "./setup.ts";
import { StateExportCommand } from "./state/export.ts";
import { StateImportCommand } from "./state/import.ts";
import { TryCommand } from "./try.ts";
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
import { StartCommand } from "./vms/start.ts";
import { StopCommand } from "./vms/stop.ts";
import { WatchCommand } from "./vms/watch.ts";

/** Every command, in the order help and docs show them. A file of a command declares words only; what it needs it imports when it runs. */
export const COMMANDS: readonly CommandClass<CliContext>[] = [
  TryCommand,
  OpenCommand,
  SnapshotCommand,
  ClickCommand,
  FillCommand,
  PressCommand,
  WaitCommand,
  ScreenshotCommand,
  PdfCommand,
  EvalCommand,
  ContentCommand,
  TabsCommand,
  StateExportCommand,
  StateImportCommand,
  CdpCommand,
  CreateCommand,
  ListCommand,
  GetCommand,
  WatchCommand,
  LogsCommand,
  StopCommand,
  StartCommand,
  RestartCommand,
  PauseCommand,
  ResumeCommand,
  ResizeCommand,
  DeleteCommand,
  EgressGetCommand,
  EgressSetCommand,
  ImageBuildCommand,
  ImageListCommand,
  ImageInspectCommand,
  ImageVerifyCommand,
  ImageRemoveCommand,
  KeysCreateCommand,
  KeysListCommand,
  KeysRevokeCommand,
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
