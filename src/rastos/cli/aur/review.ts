import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { AUR_ENVIRONMENT, AUR_NAMES, AUR_REVIEW_ARGS } from "./aur-args.ts";

const REVIEW_ARGS = { ...AUR_NAMES, ...AUR_REVIEW_ARGS } as const satisfies ArgsSpec;

/** The arguments of `rastos aur review`. */
export type ReviewArgs = typeof REVIEW_ARGS;

/** `rastos aur review NAME…`. */
export const reviewCommand = defineCommand({
  meta: {
    name: "review",
    description: "Look at what has changed in packages, and let it pass or not",
    synonyms: ["diff"],
    details: `
      Fetches the newest commit of each package, and of those of the AUR that it needs, and shows
      all that differs from the commit that was reviewed before, in every file; nothing of it runs.
      What you let pass is what "rastos aur build" builds from then on, until you let another commit
      pass.

      Without a terminal the differences are printed, and nothing passes but what --yes-reviewed
      names. With --json an object with schema "rastos.aur-reviews/1".
    `,
  },
  args: REVIEW_ARGS,
  examples: [
    { command: "rastos aur review paru", description: "Ask for each of its parts" },
    {
      command: "rastos aur review paru --yes-reviewed 0123456789ab",
      description: "Where there is nobody to ask",
    },
  ],
  exitCodes: { 0: "All has passed, or had before", 1: "Something has not" },
  environment: AUR_ENVIRONMENT,
  run: async (context) => (await import("./review-run.ts")).run(context),
});
