import type { Config } from "../../config/load.ts";
import type { ImageFormat, ImageManifest } from "../../contract/image.ts";
import { silentLog } from "../../log/log.ts";
import type { Progress } from "../output/progress.ts";

export type BuildChoice = {
  format: ImageFormat;
  source: "auto" | "mmdebstrap" | "docker" | "podman" | "buildah";
  force: boolean;
};

/** Builds an image, each step told. @throws HypeError tool_missing | image_build_failed | disk_full | cancelled */
export async function buildWithProgress(
  config: Config,
  choice: BuildChoice,
  progress: Progress,
  signal: AbortSignal,
): Promise<ImageManifest> {
  const { buildImage } = await import("../../image/build.ts");
  const { findAgentBinary } = await import("../../image/agent-binary.ts");
  let present = "";
  const manifest = await buildImage({
    config,
    log: silentLog,
    ...choice,
    agentBinary: findAgentBinary(),
    signal,
    onProgress(step: string, text: string) {
      if (step === "done") return progress.done();
      if (step !== present) progress.step(`Building the image: ${step}`);
      present = step;
      progress.detail(text);
    },
  });
  progress.done();
  return manifest;
}
