import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Fault, faultFromJson } from "../../kit/fault/fault.ts";
import type { Repository } from "../package/types.ts";
import { findTool } from "./tool.ts";

/** What is installed into a new root. */
export interface PackageStage {
  readonly root: string;
  readonly repositories: readonly Repository[];
  readonly install: readonly string[];
  readonly ignored: readonly string[];
  readonly cacheFolder: string;
  readonly gpgFolder: string | undefined;
}

/** What happens meanwhile. */
export type StageEvent = (text: string) => void;

/** libarchive says so of every file when who unpacks is not root: the image knows better. */
const ABOUT_OWNERS = /Can't set (user|group)=|more items$/;

/**
 * Installs packages into a root. Who is not root does it in a user namespace of his own, where
 * that is allowed: install scripts want chroot(2). Owners come from the packages' lists later.
 *
 * @returns notes of the package manager
 * @throws {Fault} as the package manager does
 */
export async function stagePackages(
  stage: PackageStage,
  workFolder: string,
  onEvent: StageEvent,
): Promise<readonly string[]> {
  mkdirSync(stage.root, { recursive: true });
  mkdirSync(stage.cacheFolder, { recursive: true });
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && canUnshare()) return stageInNamespace(stage, workFolder);
  const notes = await installPackages(stage, onEvent);
  return isRoot ? notes : [...notes, "install scripts of packages did not run: that needs root"];
}

/** Installs packages into a root, as whoever this is. */
export async function installPackages(
  stage: PackageStage,
  onEvent: StageEvent,
): Promise<readonly string[]> {
  const { openPackageManager } = await import("../package/open.ts");
  const { root, repositories, cacheFolder, gpgFolder, install, ignored } = stage;
  using manager = openPackageManager({ root, repositories, cacheFolder, gpgFolder });
  await manager.sync();
  const done = await manager.run({ install, ignored }, (event) => {
    if (event.kind === "change") onEvent(event.name);
    if (event.kind === "download") onEvent(event.file);
  });
  return done.notes.filter((note) => !ABOUT_OWNERS.test(note));
}

/** The executable can start itself: not so when bun runs the sources. */
function isCompiled(): boolean {
  return basename(process.execPath) !== "bun";
}

function canUnshare(): boolean {
  const unshare = findTool("unshare");
  if (unshare === undefined || !isCompiled()) return false;
  return Bun.spawnSync([unshare, "--user", "--map-root-user", "true"], {
    stdout: "ignore",
    stderr: "ignore",
  }).success;
}

function stageInNamespace(stage: PackageStage, workFolder: string): readonly string[] {
  const request = join(workFolder, "stage.json");
  const answer = join(workFolder, "staged.json");
  writeFileSync(request, JSON.stringify(stage));
  const self = [process.execPath, "rastos", "image", "stage", request, answer];
  const child = Bun.spawnSync(["unshare", "--user", "--map-root-user", "--", ...self], {
    env: { ...process.env },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const result = readAnswer(answer);
  if (result === undefined) {
    throw new Fault({
      code: "E_IO",
      message: "Cannot install the packages in a user namespace",
      excerpt: child.stderr.toString().trim().split("\n").slice(-10),
      hint: "build the image as root",
    });
  }
  if ("fault" in result) throw faultFromJson(result.fault);
  return result.notes;
}

type Answer = { readonly notes: readonly string[] } | { readonly fault: unknown };

function readAnswer(path: string): Answer | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Answer;
  } catch {
    return undefined;
  }
}

/** The other side of a namespace: does what one file says, and tells how it went in another. */
export async function answerStage(request: string, answer: string): Promise<void> {
  let result: Answer;
  try {
    const stage = JSON.parse(readFileSync(request, "utf8")) as PackageStage;
    result = { notes: await installPackages(stage, () => undefined) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    result = { fault: error.toJson() };
  }
  writeFileSync(answer, JSON.stringify(result));
}
