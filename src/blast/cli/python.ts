import { defineCommand } from "../../kit/cli/command.ts";

/** `blast python`: the interpreters. */
export const pythonCommand = defineCommand({
  meta: {
    name: "python",
    description: "Find, install and pin interpreters",
    synonyms: ["py", "interpreter"],
  },
  subCommands: {
    list: async () => (await import("./python-list.ts")).pythonListCommand,
    find: async () => (await import("./python-find.ts")).pythonFindCommand,
    pin: async () => (await import("./python-pin.ts")).pythonPinCommand,
    install: async () => (await import("./python-install.ts")).pythonInstallCommand,
    uninstall: async () => (await import("./python-uninstall.ts")).pythonUninstallCommand,
  },
  examples: [
    { command: "blast python list", description: "What is here, and what can be installed" },
    { command: "blast python install 3.13", description: "Fetch a build of it" },
    { command: "blast python pin 3.12", description: "Write .python-version for this folder" },
  ],
});
