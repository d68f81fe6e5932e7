import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { AUR_BUILD_ARGS, AUR_ENVIRONMENT, AUR_NAMES } from "./aur-args.ts";

const BUILD_ARGS = {
  ...AUR_NAMES,
  "dry-run": {
    type: "boolean",
    description: "Show what would be built, in which order, and do nothing",
  },
  ...AUR_BUILD_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos aur build`. */
export type BuildArgs = typeof BUILD_ARGS;

/** `rastos aur build NAME…`. */
export const buildCommand = defineCommand({
  meta: {
    name: "build",
    description: "Build packages of the AUR in a sandbox, and print their files",
    synonyms: ["make"],
    details: `
      Each package is built at the commit that was reviewed; one that never was is shown first, and
      not built unless it passes. What it needs is installed into a layer over the system, which is
      gone afterwards. Its sources are fetched in a sandbox that has the network and nothing of your
      files; it is built, as a user of nobody's, in one that has neither.

      With --json an object with schema "rastos.aur-build/1".
    `,
  },
  args: BUILD_ARGS,
  examples: [
    { command: "rastos aur build paru", description: "As it was reviewed" },
    { command: "rastos aur build --update paru", description: "The newest, after a look at it" },
  ],
  exitCodes: { 1: "Not built: not reviewed, not found, or its build has failed" },
  environment: AUR_ENVIRONMENT,
  run: async (context) => (await import("./build-run.ts")).run(context),
});
