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
    install: async () => (await import("./cli/install.ts")).installCommand,
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
  readonly createUnpackWorker: () => Worker;
  readonly createInstallWorker: () => Worker;
}): void {
  ports.createUnpackWorker = plugs.createUnpackWorker;
  ports.createInstallWorker = plugs.createInstallWorker;
}
