import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "smol-toml";
import type { Universe } from "./memory-index.ts";

/** The scenarios of astral-sh/packse, which stand beside the checkout and not in it. */
const FOLDER = resolve(import.meta.dir, "../../../shared/packse");

/** A resolver scenario (packse's TOML format), as far as the resolver reads it. */
export interface Scenario {
  readonly group: string;
  readonly name: string;
  readonly requires: readonly string[];
  /** Of the project that asks. */
  readonly requiresPython: string;
  /** The interpreter at hand: `3.12` or `3.12.1`. */
  readonly python: string;
  readonly options: {
    readonly universal?: boolean;
    readonly python?: string;
    readonly python_platform?: string;
    readonly prereleases?: boolean;
    readonly no_binary?: readonly string[];
    readonly no_build?: readonly string[];
    readonly required_environments?: readonly string[];
  };
  readonly satisfiable: boolean;
  /** Empty: only the consistency of the answer is checked. */
  readonly packages: Readonly<Record<string, string>>;
  readonly universe: Universe;
}

/** A reason when the scenarios are not there. */
export function needsPackse(): string | undefined {
  return existsSync(FOLDER)
    ? undefined
    : "needs ../shared/packse, which is beside the authors' checkouts only";
}

/** All scenarios, by name. */
export function readScenarios(): Scenario[] {
  const scenarios: Scenario[] = [];
  for (const path of new Bun.Glob("*/*.toml").scanSync(FOLDER)) {
    const data = parse(readFileSync(resolve(FOLDER, path), "utf8")) as unknown as ScenarioFile;
    scenarios.push(scenarioOf(data, path.split("/")[0] ?? ""));
  }
  return scenarios.sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** The default of packse for everything. */
const DEFAULT_PYTHON = ">=3.12";

interface ScenarioFile {
  readonly name: string;
  readonly root: { readonly requires?: string[]; readonly requires_python?: string };
  readonly environment?: { readonly python?: string };
  readonly resolver_options?: Scenario["options"];
  readonly expected: {
    readonly satisfiable: boolean;
    readonly packages?: Record<string, string>;
  };
  readonly packages?: Record<string, { readonly versions?: Record<string, VersionFile> }>;
}

interface VersionFile {
  readonly requires?: string[];
  readonly extras?: Record<string, string[]>;
  readonly requires_python?: string;
  readonly wheel?: boolean;
  readonly sdist?: boolean;
  readonly wheel_tags?: string[];
  readonly yanked?: boolean;
}

function scenarioOf(data: ScenarioFile, group: string): Scenario {
  const universe: Record<string, Universe[string]> = {};
  for (const [name, { versions = {} }] of Object.entries(data.packages ?? {})) {
    universe[name] = Object.fromEntries(
      Object.entries(versions).map(([version, what]) => [version, versionOf(what)]),
    );
  }
  return {
    group,
    name: data.name,
    requires: data.root.requires ?? [],
    requiresPython: data.root.requires_python ?? DEFAULT_PYTHON,
    python: data.environment?.python ?? "3.12",
    options: data.resolver_options ?? {},
    satisfiable: data.expected.satisfiable,
    packages: data.expected.packages ?? {},
    universe,
  };
}

function versionOf(what: VersionFile): Universe[string][string] {
  const { requires_python: requiresPython = DEFAULT_PYTHON, wheel = true, sdist = true } = what;
  return {
    ...(what.requires === undefined ? {} : { requires: what.requires }),
    ...(what.extras === undefined ? {} : { extras: what.extras }),
    ...(requiresPython === "" ? {} : { requiresPython }),
    wheels: wheel ? (what.wheel_tags ?? ["py3-none-any"]) : [],
    sdist,
    yanked: what.yanked ?? false,
  };
}
