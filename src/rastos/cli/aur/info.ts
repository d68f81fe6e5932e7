import { defineCommand } from "../../../kit/cli/command.ts";
import { AUR_ENVIRONMENT, AUR_NAMES } from "./aur-args.ts";

/** The arguments of `rastos aur info`. */
export type InfoArgs = typeof AUR_NAMES;

/** `rastos aur info NAME…`. */
export const infoCommand = defineCommand({
  meta: {
    name: "info",
    description: "Tell what the AUR knows of packages",
    synonyms: ["show", "-Si"],
    details: `
      With --json an object with schema "rastos.aur-packages/1".
    `,
  },
  args: AUR_NAMES,
  examples: [{ command: "rastos aur info paru", description: "All of it" }],
  environment: AUR_ENVIRONMENT,
  run: async (context) => (await import("./info-run.ts")).run(context),
});
