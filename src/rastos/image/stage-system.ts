import { existsSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { configureRoot } from "../system/configure.ts";
import type { SystemFile } from "../system/types.ts";
import { readPackageFacts } from "./package-facts.ts";
import { type StageEvent, stagePackages } from "./stage-packages.ts";
import { runTool } from "./tool.ts";

/** What the root of an image is made of. */
export interface SystemRequest {
  readonly system: SystemFile | undefined;
  /** A folder with a system to begin with. */
  readonly base: string | undefined;
  /** Where the root is put together, and other temporary files lie. */
  readonly workFolder: string;
  readonly cacheFolder: string;
  readonly gpgFolder: string | undefined;
  /** Seconds since 1970: nothing in the image is newer. */
  readonly epochSeconds: number | undefined;
}

/** A root that an image can be made of. */
export interface StagedRoot {
  readonly root: string;
  readonly notes: readonly string[];
}

/**
 * Puts a root together: the base, the packages over it, then the settings of system.toml. A base
 * that nothing is added to is used where it is.
 *
 * @throws {Fault} E_CONFIG, E_REFUSED for what an image cannot have; those of packages and settings
 */
export async function stageSystem(
  request: SystemRequest,
  onEvent: StageEvent,
): Promise<StagedRoot> {
  const { system, base, workFolder } = request;
  if (system === undefined) {
    if (base === undefined) throw nothingGiven();
    return { root: base, notes: [] };
  }
  refuseUnbuildable(system);
  const root = join(workFolder, "root");
  if (base !== undefined) copyBase(base, root);
  const notes: string[] = [...system.notes];
  const install = wantedPackages(system);
  if (install.length > 0) {
    if (system.config.repositories.length === 0) throw noRepositories(system);
    const repositories = system.config.repositories.map(({ name, servers, siglevel }) => ({
      name,
      servers,
      signatureLevel: siglevel,
    }));
    const { ignored } = system.config.packages;
    const { cacheFolder, gpgFolder } = request;
    const stage = { root, repositories, install, ignored, cacheFolder, gpgFolder };
    notes.push(...(await stagePackages(stage, workFolder, onEvent)));
  }
  if (!existsSync(root)) throw nothingGiven();
  const epochSeconds = request.epochSeconds ?? readPackageFacts(root).newestBuild ?? 0;
  const report = await configureRoot(root, system.config, {
    systemText: system.text,
    // Shadow passwords carry the day on which they were set.
    clock: () => epochSeconds * 1000,
  });
  notes.push(...report.notes);
  notes.push(...report.programs.map((words) => `not run in the image: ${words.join(" ")}`));
  return { root, notes };
}

function wantedPackages({ config }: SystemFile): string[] {
  const { official, groups } = config.packages;
  const kernel = config.kernel.package;
  return [...new Set([...official, ...groups, ...(kernel === undefined ? [] : [kernel])])];
}

/** What would be left out without a word. */
function refuseUnbuildable({ config, path }: SystemFile): void {
  const { hooks, kernel, packages } = config;
  const refuse = (what: string, hint: string): never => {
    const message = `Cannot build an image from "${path}": ${what}`;
    throw new Fault({ code: "E_REFUSED", message, hint });
  };
  const [aur] = packages.aur;
  if (aur !== undefined) {
    refuse(`"${aur}" is a package of the AUR`, "install it on the machine: rastos apply");
  }
  if (kernel.profile !== undefined) {
    const hint = "build it first, and put it into the --base folder: rastos kernel build";
    refuse(`it has the kernel built by the profile "${kernel.profile}"`, hint);
  }
  if (hooks.pre_install.length + hooks.post_install.length > 0) {
    refuse("hooks cannot run in it", "have them run on the machine: rastos apply");
  }
}

function copyBase(base: string, root: string): void {
  runTool({
    program: "cp",
    packageName: "coreutils",
    args: ["-a", "--reflink=auto", "--", base, root],
    action: `copy "${base}"`,
  });
}

function nothingGiven(): Fault {
  return new Fault({
    code: "E_USAGE",
    message: "Cannot build an image of nothing",
    hint: "name a system.toml with packages, or a folder with a system by --base",
  });
}

function noRepositories(system: SystemFile): Fault {
  return new Fault({
    code: "E_CONFIG",
    message: `Cannot install packages: "${system.path}" names no repository`,
    hint: 'add [[repositories]] with name = "core" and servers = ["https://…/$repo/os/$arch"]',
  });
}
