import { defineCommand } from "../../../kit/cli/command.ts";

/** `rastos image`: disks in files. */
export const imageCommand = defineCommand({
  meta: {
    name: "image",
    description: "Build disk images, look into them, convert them",
  },
  subCommands: {
    build: async () => (await import("./build.ts")).buildCommand,
    inspect: async () => (await import("./inspect.ts")).inspectCommand,
    convert: async () => (await import("./convert.ts")).convertCommand,
    install: async () => (await import("./install.ts")).installCommand,
    stage: async () => (await import("./stage.ts")).stageCommand,
  },
  examples: [
    { command: "rastos image build system.toml -o disk.raw", description: "A disk of a system" },
    { command: "rastos image inspect disk.raw", description: "What is on it" },
  ],
});
