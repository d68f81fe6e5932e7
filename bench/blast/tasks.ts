import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Entrant, Task } from "./contest.ts";
import type { RequirementSet } from "./sets.ts";
import type { Tools } from "./tools.ts";

/** What the tasks are made of. */
export interface TaskOptions {
  readonly tools: Tools;
  readonly sets: readonly RequirementSet[];
  readonly scratch: string;
  /** Of the index's simple pages. */
  readonly indexUrl: string;
}

/** Every task, in the order of the table. */
export function tasksFor(options: TaskOptions): Task[] {
  const { sets } = options;
  const installing = sets.filter(({ installs }) => installs);
  return [
    startTask(options),
    ...sets.flatMap((set) => [
      resolveTask(options, set, "warm"),
      resolveTask(options, set, "anew"),
      resolveTask(options, set, "cold"),
    ]),
    ...installing.flatMap((set) => [
      installTask(options, set, "warm"),
      installTask(options, set, "cold"),
      installTask(options, set, "again"),
    ]),
    ...installing.map((set) => syncTask(options, set)),
  ];
}

function startTask({ tools, scratch }: TaskOptions): Task {
  const folder = made(join(scratch, "start"));
  const clear = (): void => rmSync(join(folder, ".venv"), { recursive: true, force: true });
  const entrant = (label: string, argv: string[]): Entrant => ({
    label,
    argv,
    folder,
    environment: cacheOf(scratch, "start"),
    prepare: clear,
  });
  const { python } = tools;
  return {
    id: "start",
    title: "environment, warm",
    entrants: [
      entrant("blast start", [tools.blast, "start", "--python", python]),
      entrant("uv venv", [tools.uv, "venv", "-q", "--no-project", "--python", python, ".venv"]),
      entrant("python -m venv --without-pip", [python, "-m", "venv", "--without-pip", ".venv"]),
      entrant("virtualenv --no-seed", [tools.virtualenv, "-q", "--no-seed", "-p", python, ".venv"]),
    ],
    goal: 1,
    rounds: 9,
    repeats: 5,
    warm: true,
  };
}

type ResolveKind = "warm" | "anew" | "cold";

function resolveTask(options: TaskOptions, set: RequirementSet, kind: ResolveKind): Task {
  const { tools, scratch, indexUrl } = options;
  const id = `resolve-${kind}-${set.id}`;
  const folder = made(join(scratch, id));
  writeFileSync(join(folder, "in.txt"), `${set.lines.join("\n")}\n`);
  const caches = cacheOf(scratch, id);
  const clear = (): void => {
    if (kind !== "cold") return;
    for (const path of Object.values(caches)) rmSync(path, { recursive: true, force: true });
  };
  const entrant = (label: string, argv: string[], more: Record<string, string> = {}): Entrant => ({
    label,
    argv,
    folder,
    environment: { ...caches, ...more },
    prepare: clear,
  });
  const plain = ["-q", "--no-header", "--no-annotate", "--python", tools.python, "in.txt"];
  const anew = kind === "anew" ? { BLAST_SOLVE_ANEW: "1" } : {};
  return {
    id,
    title: `resolve ${set.title}, ${kind === "anew" ? "warm, solved anew" : kind}`,
    entrants: [
      entrant("blast compile", [tools.blast, "compile", ...plain, "-i", indexUrl], anew),
      entrant("uv pip compile", [
        tools.uv,
        "pip",
        "compile",
        ...plain,
        "--default-index",
        indexUrl,
        "-o",
        "/dev/null",
      ]),
    ],
    ...(kind === "anew" ? {} : { goal: kind === "cold" ? 1.1 : 1 }),
    rounds: 7,
    repeats: kind === "cold" ? 1 : 5,
    warm: true,
  };
}

type InstallKind = "warm" | "cold" | "again";

function installTask(options: TaskOptions, set: RequirementSet, kind: InstallKind): Task {
  const { tools, scratch, indexUrl } = options;
  const id = `install-${kind}-${set.id}`;
  const folder = made(join(scratch, id));
  writeFileSync(join(folder, "in.txt"), `${set.lines.join("\n")}\n`);
  const caches = cacheOf(scratch, id);
  const entrant = (label: string, argv: (venv: string) => string[]): Entrant => {
    const venv = join(folder, label.split(" ")[0] ?? "venv");
    return {
      label,
      argv: argv(venv),
      folder,
      environment: caches,
      prepare: () => {
        if (kind === "again" && existsSync(join(venv, "pyvenv.cfg"))) return;
        if (kind === "cold") {
          for (const path of Object.values(caches)) rmSync(path, { recursive: true, force: true });
        }
        rmSync(venv, { recursive: true, force: true });
        Bun.spawnSync([tools.uv, "venv", "-q", "--no-project", "--python", tools.python, venv]);
      },
    };
  };
  const title = { warm: "warm", cold: "cold", again: "nothing to do" }[kind];
  const pip = entrant("pip install", (venv) => [
    ...tools.pip,
    "--python",
    venv,
    "install",
    "-q",
    "--disable-pip-version-check",
    "-r",
    "in.txt",
    "-i",
    indexUrl,
  ]);
  return {
    id,
    title: `install ${set.title}, ${title}`,
    entrants: [
      entrant("blast install", (venv) => [
        tools.blast,
        "install",
        "-q",
        "--python",
        venv,
        "-r",
        "in.txt",
        "-i",
        indexUrl,
      ]),
      entrant("uv pip install", (venv) => [
        tools.uv,
        "pip",
        "install",
        "-q",
        "--python",
        venv,
        "-r",
        "in.txt",
        "--default-index",
        indexUrl,
      ]),
      ...(set.id === "flask" ? [pip] : []),
    ],
    goal: kind === "cold" ? 1.1 : 1,
    rounds: kind === "again" ? 7 : 5,
    repeats: kind === "again" ? 5 : 1,
    warm: true,
  };
}

/** An up-to-date project: the lock file fits, everything is installed. */
function syncTask(options: TaskOptions, set: RequirementSet): Task {
  const { tools, scratch, indexUrl } = options;
  const id = `sync-${set.id}`;
  const caches = cacheOf(scratch, id);
  const project = (name: string): string => {
    const folder = made(join(scratch, id, name));
    const lines = set.lines.map((line) => JSON.stringify(line)).join(", ");
    const toml = [
      "[project]",
      'name = "demo"',
      'version = "1"',
      'requires-python = ">=3.12,<3.13"',
      `dependencies = [${lines}]`,
    ];
    writeFileSync(join(folder, "pyproject.toml"), `${toml.join("\n")}\n`);
    return folder;
  };
  const entrant = (label: string, folder: string, argv: string[]): Entrant => ({
    label,
    argv,
    folder,
    environment: caches,
    prepare: () => undefined,
  });
  const { python } = tools;
  const blastArgs = ["sync", "-q", "--python", python, "-i", indexUrl];
  const uvArgs = ["sync", "-q", "--python", python, "--default-index", indexUrl];
  return {
    id,
    title: `sync ${set.title}, up to date`,
    entrants: [
      entrant("blast sync", project("blast"), [tools.blast, ...blastArgs]),
      entrant("uv sync", project("uv"), [tools.uv, ...uvArgs]),
    ],
    goal: 1,
    rounds: 7,
    repeats: 5,
    warm: true,
  };
}

/** Each tool has a cache of its own. */
function cacheOf(scratch: string, id: string): Record<string, string> {
  return {
    BLAST_CACHE_DIR: join(scratch, "caches", id, "blast"),
    UV_CACHE_DIR: join(scratch, "caches", id, "uv"),
    PIP_CACHE_DIR: join(scratch, "caches", id, "pip"),
    XDG_DATA_HOME: join(scratch, "caches", id, "data"),
  };
}

function made(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}
