import { defineCommand } from "../../../kit/cli/command.ts";

/** `rastos aur`: packages of the Arch User Repository. */
export const aurCommand = defineCommand({
  meta: {
    name: "aur",
    description: "Packages of the AUR: look, review, build in a sandbox, install",
  },
  subCommands: {
    search: async () => (await import("./search.ts")).searchCommand,
    info: async () => (await import("./info.ts")).infoCommand,
    review: async () => (await import("./review.ts")).reviewCommand,
    build: async () => (await import("./build.ts")).buildCommand,
    install: async () => (await import("./install.ts")).installCommand,
  },
  examples: [
    { command: "rastos aur search paru", description: "What there is" },
    { command: "rastos aur review paru", description: "Look at it before it runs" },
    { command: "rastos aur install paru", description: "Build and install, in a new snapshot" },
  ],
});
