import { defineCommand } from "../../../kit/cli/command.ts";

/** `rastos kernel`: kernels from their sources. */
export const kernelCommand = defineCommand({
  meta: {
    name: "kernel",
    description: "Build kernels from their sources",
  },
  subCommands: {
    build: async () => (await import("./build.ts")).buildCommand,
    clean: async () => (await import("./clean.ts")).cleanCommand,
    profiles: async () => (await import("./profiles.ts")).profilesCommand,
  },
  examples: [
    { command: "rastos kernel profiles", description: "What kernels can be for" },
    {
      command: "rastos kernel build -s linux-6.12 -p production",
      description: "A hardened kernel, into the folder output",
    },
  ],
});
