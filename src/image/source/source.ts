import { HypeError } from "../../contract/index.ts";
import { hasTool } from "../tools.ts";
import { fromContainerTool } from "./container.ts";
import { fromMmdebstrap } from "./mmdebstrap.ts";

/** What makes the root tree. */
export const SOURCES = ["mmdebstrap", "docker", "podman", "buildah"] as const;
export type Source = (typeof SOURCES)[number];

/** One making of the root tree. All paths are absolute. */
export type SourceJob = {
  /** Scratch space, thrown away afterwards. */
  directory: string;
  /** Holds the recipe's files. */
  recipe: string;
  /** The tar file to make: what customize.sh writes, see there. */
  tar: string;
  aptMirrors: readonly string[];
  signal?: AbortSignal | undefined;
  /** Gets the tools' own words as they come. */
  onText: (text: string) => void;
};

/** mmdebstrap where it is, since it needs no daemon and no base image; else the container tool there is. @throws HypeError tool_missing */
export function chooseSource(wanted: Source | "auto"): Source {
  if (wanted !== "auto") return wanted;
  const found = SOURCES.find(hasTool);
  if (found) return found;
  throw new HypeError(
    "tool_missing",
    "building an image needs mmdebstrap, docker, podman or buildah: apt-get install mmdebstrap",
    { tools: SOURCES, packages: ["mmdebstrap"] },
  );
}

export const makeTree = (source: Source, job: SourceJob): Promise<void> =>
  source === "mmdebstrap" ? fromMmdebstrap(job) : fromContainerTool(source, job);
