import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { ROOT_ARGS } from "../root-args.ts";
import { DECLARATION_ARGS } from "./plan-args.ts";

const PLAN_ARGS = { ...DECLARATION_ARGS, ...ROOT_ARGS } as const satisfies ArgsSpec;

/** The arguments of `rastos plan`. */
export type PlanArgs = typeof PLAN_ARGS;

/** `rastos plan FILE`. */
export const planCommand = defineCommand({
  meta: {
    name: "plan",
    description: "Show how the system differs from a system.toml",
    details: `
      What \`rastos apply\` would do, and nothing is done. The exit code is that of diff(1).

      With --json the one line has the schema "rastos.apply/1", as that of \`rastos apply\`.
    `,
  },
  args: PLAN_ARGS,
  examples: [{ command: "rastos plan system.toml", description: "The difference" }],
  exitCodes: {
    0: "The system is what is declared",
    1: "There are differences, or something has failed (then stderr says error)",
  },
  run: async (context) => (await import("./plan-run.ts")).run(context),
});
