import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { ESP_ARG } from "../boot/boot-args.ts";
import { ETC_ARG } from "../deploy/inherit-args.ts";
import { DESTROY_ARGS } from "../root-args.ts";
import { DECLARATION_ARGS } from "./plan-args.ts";

const APPLY_ARGS = {
  ...DECLARATION_ARGS,
  description: {
    type: "string",
    alias: "d",
    valueHint: "TEXT",
    description: "What `rastos tree` shows beside the new snapshot; default: what has changed",
  },
  deploy: {
    type: "boolean",
    default: true,
    negativeDescription: "Make the snapshot, and leave what boots next as it is",
    description: "Have the new snapshot boot next",
  },
  "yes-reviewed": {
    type: "string",
    repeatable: true,
    valueHint: "COMMIT",
    description: "Let this commit of the AUR pass without a question: you have looked at it",
  },
  ...ETC_ARG,
  ...ESP_ARG,
  ...DESTROY_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos apply`. */
export type ApplyArgs = typeof APPLY_ARGS;

/** `rastos apply FILE`. */
export const applyCommand = defineCommand({
  meta: {
    name: "apply",
    description: "Make the system what a system.toml declares, as a new snapshot",
    synonyms: ["switch", "rebuild"],
    details: `
      Shows the whole difference first, and asks. Then everything is done in a temporary clone:
      hooks, packages, settings, accounts, services. Only if all of it has gone well is the clone
      kept as a new snapshot, which boots next; otherwise it goes, and nothing has changed. After
      a crash at any moment the old system is there, or the new one as a whole.

      What the file does not name stays as it is. What the file named when it was applied before,
      and names no more, is taken back. A second time there is nothing to do.

      With --json the last line has the schema "rastos.apply/1": outcome ("nothing", "planned",
      "homes", "applied"), changes, packages, snapshot and deployment.
    `,
  },
  args: APPLY_ARGS,
  examples: [
    { command: "rastos apply system.toml", description: "Show the difference, ask, do it" },
    { command: "rastos apply system.toml --dry-run", description: "Only show it" },
    { command: "rastos apply system.toml --yes --no-deploy", description: "Only a snapshot" },
  ],
  exitCodes: {
    0: "The system is what is declared",
    1: "Something has failed, or was not confirmed: nothing was changed",
  },
  run: async (context) => (await import("./apply-run.ts")).run(context),
});
