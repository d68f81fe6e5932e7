import { defineCommand } from "../../../kit/cli/command.ts";

/** `rastos boot`: the boot loader and its entries. */
export const bootCommand = defineCommand({
  meta: {
    name: "boot",
    description: "List boot entries, bless the running one, install the boot loader",
  },
  subCommands: {
    list: async () => (await import("./list.ts")).listCommand,
    bless: async () => (await import("./bless.ts")).blessCommand,
    remove: async () => (await import("./remove.ts")).removeCommand,
    install: async () => (await import("./install.ts")).installCommand,
  },
  examples: [
    { command: "rastos boot list", description: "What can be booted" },
    { command: "rastos boot bless", description: "Check the running system, and keep it" },
  ],
});
