import { defineCommand } from "../../../kit/cli/command.ts";

/** `rastos packages`: the packages of a system. */
export const packagesCommand = defineCommand({
  meta: {
    name: "packages",
    description: "Look for, install, upgrade and remove packages",
    synonyms: ["package", "pkg", "pacman"],
  },
  subCommands: {
    list: async () => (await import("./list.ts")).listCommand,
    search: async () => (await import("./search.ts")).searchCommand,
    info: async () => (await import("./info.ts")).infoCommand,
    plan: async () => (await import("./plan.ts")).planCommand,
    install: async () => (await import("./install.ts")).installCommand,
    remove: async () => (await import("./remove.ts")).removeCommand,
    upgrade: async () => (await import("./upgrade.ts")).upgradeCommand,
    sync: async () => (await import("./sync.ts")).syncCommand,
    clean: async () => (await import("./clean.ts")).cleanCommand,
  },
  examples: [
    { command: "rastos packages search editor", description: "Look for a package" },
    { command: "rastos packages install vim", description: "In a new snapshot" },
    { command: "rastos packages upgrade", description: "Bring everything up to date" },
  ],
});
