import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { Fault } from "../../src/kit/fault/fault.ts";
import { openPackageManager } from "../../src/rastos/package/open.ts";
import type { PackageManager, TransactionPlan } from "../../src/rastos/package/types.ts";
import type { ScenarioStep } from "./package-scenarios.ts";

/** What came of one step. */
export interface StepResult {
  readonly isDone: boolean;
  /** Of ours: what was planned, and what was said. */
  readonly plan?: TransactionPlan | undefined;
  readonly fault?: string | undefined;
}

/** One of those that are compared, at work on a root of its own. */
export interface PackageArm {
  readonly name: string;
  readonly root: string;
  perform(step: Exclude<ScenarioStep, { kind: "write" | "link" }>): Promise<StepResult>;
}

/** Ours, by libalpm or by the pacman command. */
export function ourArm(root: string, kind: PackageManager["kind"], repository: string): PackageArm {
  mkdirSync(root, { recursive: true });
  const repositories = [
    { name: "test", servers: [`file://${repository}`], signatureLevel: "Never" },
  ];
  const manager = openPackageManager({ root, repositories }, { kind });
  return {
    name: kind,
    root,
    async perform(step) {
      let plan: TransactionPlan | undefined;
      try {
        if (step.kind === "publish") {
          await manager.sync();
          return { isDone: true };
        }
        const before = rootState(root);
        plan = await manager.plan(step);
        if (JSON.stringify(before) !== JSON.stringify(rootState(root))) {
          throw new Error("A plan has changed the root");
        }
        const done = await manager.run(step);
        if (JSON.stringify(done.changes) !== JSON.stringify(plan.changes)) {
          throw new Error(`Planned ${JSON.stringify(plan)}, done ${JSON.stringify(done)}`);
        }
        return { isDone: true, plan };
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        return { isDone: false, plan, fault: error.message };
      }
    },
  };
}

/** pacman itself, told to ask nothing. */
export function pacmanArm(root: string, repository: string): PackageArm {
  const database = join(root, "var/lib/pacman");
  for (const folder of [database, join(root, "var/log")]) mkdirSync(folder, { recursive: true });
  const config = `${root}.conf`;
  const lines = ["[options]", "Architecture=auto", "CheckSpace", "[test]", "SigLevel=Never"];
  writeFileSync(config, `${lines.join("\n")}\nServer=file://${repository}\n`);
  const flags = [
    ...["pacman", "--config", config, "--root", root, "--dbpath", database, "--noconfirm"],
    ...["--cachedir", join(root, "var/cache/pacman/pkg"), "--gpgdir", `${root}.gpg`],
    ...["--hookdir", join(root, "etc/pacman.d/hooks"), "--logfile", join(root, "var/log/p.log")],
  ];
  const run = async (...words: string[]): Promise<boolean> => {
    const child = Bun.spawn([...flags, ...words], {
      env: { ...process.env, LC_ALL: "C.UTF-8" },
      stdout: "ignore",
      stderr: "ignore",
    });
    return (await child.exited) === 0;
  };
  return {
    name: "pacman itself",
    root,
    async perform(step) {
      if (step.kind === "publish") return { isDone: await run("-Sy") };
      if (step.remove !== undefined) {
        return { isDone: await run(step.recursive === true ? "-Rs" : "-R", ...step.remove) };
      }
      const words = [
        step.upgrade === true ? "-Su" : "-S",
        ...(step.onlyNeeded === true ? ["--needed"] : []),
        ...(step.asDependencies === true ? ["--asdeps"] : []),
        ...(step.removeConflicting === true ? ["--ask", "4"] : []),
      ];
      return { isDone: await run(...words, ...(step.install ?? [])) };
    },
  };
}

/** Changes a root behind the package manager's back. */
export function meddle(
  root: string,
  step: Extract<ScenarioStep, { kind: "write" | "link" }>,
): void {
  const path = join(root, step.path);
  mkdirSync(dirname(path), { recursive: true });
  if (step.kind === "link") symlinkSync(step.target, path);
  else writeFileSync(path, step.content);
}

/** What a comparison leaves out: copies of the repository, logs. */
const LEFT_OUT = new Set(["var/lib/pacman/sync", "var/cache", "var/log"]);

/** Every file of a root with type, mode, owner and content; dates of installation left out. */
export function rootState(root: string): Record<string, string> {
  const state: Record<string, string> = {};
  const walk = (relative: string): void => {
    const path = join(root, relative);
    if (LEFT_OUT.has(relative)) return;
    const status = lstatSync(path);
    const kind = status.isDirectory() ? "d" : status.isSymbolicLink() ? "l" : "f";
    const mode = (status.mode & 0o7777).toString(8);
    // libalpm's own database is written by whom and when it is.
    const time = kind === "f" && !relative.startsWith("var/lib") ? status.mtimeMs : "";
    const head = `${kind} ${mode} ${status.uid}:${status.gid} ${status.nlink > 1 && kind === "f"}`;
    state[relative] = `${head} ${isOwnTime(relative) ? time : ""} ${contentOf(path, kind)}`;
    if (kind !== "d") return;
    for (const name of readdirSync(path).sort())
      walk(relative === "" ? name : `${relative}/${name}`);
  };
  if (existsSync(root)) walk("");
  return state;
}

/** Files that the test itself writes have the time of the test. */
function isOwnTime(relative: string): boolean {
  return !relative.startsWith("etc/") && !/stray|keep/.test(relative);
}

function contentOf(path: string, kind: string): string {
  if (kind === "d") return "";
  if (kind === "l") return readlinkSync(path);
  const text = readFileSync(path).toString("latin1");
  return text.replace(/%INSTALLDATE%\n\d+\n/, "");
}
