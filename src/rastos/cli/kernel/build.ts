import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { GLOBAL_ARGS } from "../../../kit/cli/globals.ts";

const BUILD_ARGS = {
  source: {
    type: "string",
    alias: "s",
    default: ".",
    valueHint: "DIR",
    completes: "folder",
    description: "The folder with the sources of the kernel",
  },
  output: {
    type: "string",
    alias: "o",
    default: "output",
    valueHint: "DIR",
    completes: "folder",
    description: "Where to build: objects, log and the kernel itself",
  },
  jobs: {
    type: "string",
    alias: "j",
    valueHint: "N",
    number: { minimum: 1, maximum: 4096 },
    description: "So many compilers at a time",
    details: "Without it, one per processor, as far as there is 1 GiB of free memory for each.",
  },
  profile: {
    type: "string",
    alias: "p",
    default: "container-host",
    valueHint: "NAME",
    description: "What the kernel is for; rastos kernel profiles lists them, none is none",
  },
  config: {
    type: "string",
    alias: "c",
    valueHint: "FILE",
    completes: "path",
    description: "Settings of your own, laid over the profile",
  },
  base: {
    type: "string",
    valueHint: "TARGET",
    description: "What the profile is laid over: defconfig, tinyconfig, allnoconfig, …",
    details: "A configuration target of the kernel's Makefile. Without it, the profile's own.",
  },
  strict: {
    type: "boolean",
    description: "Fail when a wanted setting does not survive",
  },
  "config-only": {
    type: "boolean",
    description: "Stop after the configuration",
  },
  package: {
    type: "boolean",
    description: "Make a package for pacman, too",
  },
  ccache: {
    type: "boolean",
    default: true,
    negativeDescription: "Do not use ccache, even where it is installed",
  },
  "dry-run": {
    type: "boolean",
    description: "Show what would be done, and do nothing",
  },
  // The original's spelling; it also shows every command of make here.
  debug: {
    ...GLOBAL_ARGS.debug,
    alias: "d",
    description: "Show every command of the build, and stacks and codes with every failure",
  },
} as const satisfies ArgsSpec;

/** The arguments of `rastos kernel build`. */
export type BuildArgs = typeof BUILD_ARGS;

/** `rastos kernel build`. */
export const buildCommand = defineCommand({
  meta: {
    name: "build",
    description: "Configure, compile and install a kernel into a folder",
    synonyms: ["make", "compile"],
    details: `
      The configuration is the base, the profile over it, your own file over both; what overrides
      what is said. After "make olddefconfig" every setting of profile and file is looked for: one
      that is lost is named, with the reason. With --strict that is an error.

      The sources stay as they are: objects go to OUTPUT/build, all that is printed to
      OUTPUT/build.log, and the kernel with its modules to OUTPUT/install, in usr/lib/modules as a
      package of Arch has it. Date, user and host inside the kernel are fixed, so that the same
      sources and settings give the same kernel; SOURCE_DATE_EPOCH sets the date.

      Ctrl-C stops the build; the next one goes on from there.
    `,
  },
  args: BUILD_ARGS,
  examples: [
    { command: "rastos kernel build -s linux-6.12", description: "For containers" },
    {
      command: "rastos kernel build -s linux-6.12 --package",
      description: "Then: rastos packages install --file output/linux-rastos-*.pkg.tar.zst",
    },
    {
      command: "rastos kernel build -s linux-6.12 -p production -c my.config --strict",
      description: "Hardened, with settings of your own, all of them kept or none",
    },
    {
      command: "rastos kernel build -s linux-6.12 --config-only --json",
      description: "Only try the configuration",
    },
  ],
  exitCodes: {
    0: "The kernel is built, also when settings were lost without --strict",
    1: "It was not built; the first error of the compiler is shown",
    2: "A configuration is not understood, or with --strict not kept",
  },
  environment: {
    SOURCE_DATE_EPOCH: "The date in the kernel, in seconds since 1970",
    CCACHE_DIR: "Where ccache keeps its files",
  },
  run: async (context) => (await import("./build-run.ts")).run(context),
});
