import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { PYTHON_ARG } from "./shared-args.ts";

const WHY_ARGS = {
  package: { type: "positional", valueHint: "PKG", description: "The package in question" },
  ...PYTHON_ARG,
} as const satisfies ArgsSpec;

/** The arguments of `blast why`. */
export type WhyArgs = typeof WHY_ARGS;

/** `blast why PKG`. */
export const whyCommand = defineCommand({
  meta: {
    name: "why",
    description: "Tell why a package is here, and why in this version",
    details: `
      Shows every chain of requirements from what was asked for down to the package, with the
      bounds on each step.
    `,
  },
  args: WHY_ARGS,
  examples: [{ command: "blast why markupsafe", description: "Which packages brought it" }],
  exitCodes: { 1: "The package is not installed" },
  run: async (context) => (await import("./why-run.ts")).run(context),
});
