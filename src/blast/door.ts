import { defineCommand } from "../kit/cli/command.ts";
import { ports } from "./ports.ts";

/** `blast`: its commands, each loaded when it is needed. */
export const blastCommand = defineCommand({
  meta: {
    name: "blast",
    description: "Python environments that are ready, isolated and in sync",
  },
  tool: true,
  subCommands: {
    start: async () => (await import("./cli/start.ts")).startCommand,
    kill: async () => (await import("./cli/kill.ts")).killCommand,
    init: async () => (await import("./cli/init.ts")).initCommand,
    python: async () => (await import("./cli/python.ts")).pythonCommand,
    install: async () => (await import("./cli/install.ts")).installCommand,
    update: async () => (await import("./cli/update.ts")).updateCommand,
    remove: async () => (await import("./cli/remove.ts")).removeCommand,
    sync: async () => (await import("./cli/sync.ts")).syncCommand,
    lock: async () => (await import("./cli/lock.ts")).lockCommand,
    run: async () => (await import("./cli/run.ts")).runCommandSpec,
    list: async () => (await import("./cli/list.ts")).listCommand,
    tree: async () => (await import("./cli/tree.ts")).treeCommand,
    why: async () => (await import("./cli/why.ts")).whyCommand,
    outdated: async () => (await import("./cli/outdated.ts")).outdatedCommand,
    status: async () => (await import("./cli/status.ts")).statusCommand,
    check: async () => (await import("./cli/check.ts")).checkCommand,
    export: async () => (await import("./cli/export.ts")).exportCommand,
    clean: async () => (await import("./cli/clean.ts")).cleanCommand,
    undo: async () => (await import("./cli/undo.ts")).undoCommand,
    compile: async () => (await import("./cli/compile.ts")).compileCommand,
  },
  examples: [
    { command: "blast start", description: "A ready environment for this folder" },
    { command: "blast install flask", description: "Install and record it" },
    { command: "blast run pytest", description: "Run something in it" },
  ],
});

/** Gives blast what it needs from outside its room. */
export function plugIn(plugs: {
  readonly createPageWorker: () => Worker;
  readonly createUnpackWorker: () => Worker;
  readonly createInstallWorker: () => Worker;
}): void {
  ports.createPageWorker = plugs.createPageWorker;
  ports.createUnpackWorker = plugs.createUnpackWorker;
  ports.createInstallWorker = plugs.createInstallWorker;
}
