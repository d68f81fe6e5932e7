import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseDirectUrl } from "../project/direct-url.ts";
import { baseProblem } from "../python/base-problem.ts";
import type { Interpreter } from "../python/probe.ts";
import { checkFiles, type ExpectedRecord, scriptInterpreter } from "./check-files.ts";
import { checkRequirements } from "./check-requirements.ts";
import { type Environment, insideRoot } from "./environment.ts";
import type { Finding } from "./finding.ts";
import type { InstallItem } from "./install-item.ts";
import { type InstalledDistribution, kindOf } from "./installed.ts";
import type { JournalPackage } from "./journal.ts";
import { layOut } from "./layout.ts";
import { parseRecord } from "./record.ts";
import { lastJournal, listState } from "./state-folder.ts";
import type { WheelLookup } from "./undo.ts";
import { filesOf } from "./uninstall.ts";

/** What is known beside the environment itself. */
export interface CheckOptions {
  /** Where the wheels come from: with it, a RECORD that was changed is noticed as well. */
  readonly store?: WheelLookup;
  /** The environment's Python; null where there is none any more, undefined to leave it out. */
  readonly interpreter?: Interpreter | null;
}

/**
 * Compares an environment with all that is known of it: every file with RECORD and the store by its
 * content, owners with each other, scripts with the interpreter, requirements with what is
 * installed. Changes nothing.
 */
export function checkEnvironment(environment: Environment, options: CheckOptions = {}): Finding[] {
  const installed = environment.installed();
  const { store, interpreter } = options;
  const findings = [...interrupted(environment), ...pythonFindings(environment, interpreter)];
  findings.push(...unreadable(environment, installed), ...duplicates(installed));
  const expected = store === undefined ? () => undefined : fromStore(environment, store);
  findings.push(...checkFiles(environment, installed, expected));
  findings.push(...checkScripts(environment, installed));
  if (interpreter) findings.push(...checkRequirements(installed, interpreter.markers));
  return findings;
}

function interrupted(environment: Environment): Finding[] {
  if (listState(environment).open.length === 0) return [];
  const message = "a command was cut short: the next one that changes something takes it back";
  return [{ kind: "interrupted", message, packages: [] }];
}

function pythonFindings(
  environment: Environment,
  interpreter: Interpreter | null | undefined,
): Finding[] {
  if (interpreter === undefined || environment.kind !== "venv") return [];
  const problem = baseProblem(environment.root, interpreter ?? undefined);
  if (problem === undefined) return [];
  const { base } = problem;
  const message =
    problem.kind === "gone"
      ? `the Python of the environment is gone: "${base}"`
      : `the environment is for ${problem.was}, and "${base}" is ${problem.is} now`;
  return [{ kind: `interpreter-${problem.kind}`, message, packages: [] }];
}

/** dist-info folders that are not even worth a name. */
function unreadable(
  environment: Environment,
  installed: readonly InstalledDistribution[],
): Finding[] {
  const known = new Set(installed.map(({ path }) => path));
  const sites = new Set([environment.paths.purelib, environment.paths.platlib]);
  return [...sites].flatMap((site) =>
    namesIn(site)
      .filter((name) => kindOf(name) === "dist-info" && !known.has(join(site, name)))
      .map((name): Finding => {
        const path = insideRoot(environment, join(site, name)) ?? name;
        const message = `"${name}" does not say what is installed: it has no name or version`;
        return { kind: "broken-record", message, path, packages: [] };
      }),
  );
}

function duplicates(installed: readonly InstalledDistribution[]): Finding[] {
  return installed.flatMap((distribution, index): Finding[] => {
    const before = installed[index - 1];
    if (before?.name !== distribution.name) return [];
    const { name, distInfo } = distribution;
    const message = `"${name}" is there twice: "${before.distInfo}" and "${distInfo}"`;
    return [{ kind: "duplicate", message, packages: [name] }];
  });
}

/** The RECORDs that an install from the store would write today. */
function fromStore(environment: Environment, store: WheelLookup): ExpectedRecord {
  const packages = new Map(lastJournal(environment)?.packages.map((entry) => [entry.name, entry]));
  return (distribution) => {
    const known = packages.get(distribution.name);
    if (known === undefined || !isAsRecorded(distribution, known)) return undefined;
    const item = itemOf(known, store);
    if (item === undefined) return undefined;
    return parseRecord(layOut(environment, item).record.content());
  };
}

/** Whether blast put it there, and nobody has replaced it since. */
export function isAsRecorded(distribution: InstalledDistribution, known: JournalPackage): boolean {
  return known.distInfo === distribution.distInfo && distribution.installer === "blast";
}

/** What was installed, to be installed again; undefined where the store has lost it. */
export function itemOf(known: JournalPackage, store: WheelLookup): InstallItem | undefined {
  const { sha256, requested, directUrl } = known;
  const wheel = sha256 === undefined ? undefined : store.get(sha256);
  if (wheel === undefined) return undefined;
  const item: InstallItem = { wheel, requested };
  return directUrl === undefined ? item : { ...item, directUrl: parseDirectUrl(directUrl) };
}

/** Scripts of packages that name an interpreter which is not there, or another environment's. */
function checkScripts(
  environment: Environment,
  installed: readonly InstalledDistribution[],
): Finding[] {
  const { scripts } = environment.relative;
  return installed.flatMap((distribution) => {
    if (distribution.kind !== "dist-info" || distribution.record() === undefined) return [];
    return filesOf(environment, distribution, [])
      .filter((path) => path.startsWith(`${scripts}/`))
      .flatMap((path): Finding[] => {
        const interpreter = scriptInterpreter(join(environment.root, path));
        const why = interpreter === undefined ? undefined : scriptProblem(environment, interpreter);
        if (why === undefined) return [];
        const message = `the script "${path}" ${why}`;
        return [{ kind: "broken-script", message, path, packages: [distribution.name] }];
      });
  });
}

function scriptProblem(environment: Environment, interpreter: string): string | undefined {
  if (!existsSync(interpreter)) return `starts "${interpreter}", which is not there`;
  const isPython = /\/(python|pypy)[\d.]*$/.test(interpreter);
  const isOurs = interpreter.startsWith(`${environment.root}/`);
  if (!isPython || isOurs || environment.kind !== "venv") return undefined;
  return `starts "${interpreter}", which is not this environment's`;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
