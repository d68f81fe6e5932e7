import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { AUR_BUILD_ARGS, AUR_ENVIRONMENT, AUR_NAMES } from "./aur-args.ts";

const INSTALL_ARGS = {
  ...AUR_NAMES,
  "dry-run": {
    type: "boolean",
    description: "Show what would be built, in which order, and do nothing",
  },
  ...AUR_BUILD_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos aur install`. */
export type InstallArgs = typeof INSTALL_ARGS;

/** `rastos aur install NAME…`. */
export const installCommand = defineCommand({
  meta: {
    name: "install",
    description: "Build packages of the AUR and install them, in a new snapshot",
    synonyms: ["add", "-S"],
    details: `
      As "rastos aur build", and then as "rastos packages install --file": into a clone of the
      snapshot that boots, or of --snapshot, which is kept if all goes well. With --root of a folder
      that is no tree of snapshots that folder is changed. To have a package in every snapshot of a
      declared system, name it in [packages] aur of its system.toml.

      With --json an object with schema "rastos.aur-install/1".
    `,
  },
  args: INSTALL_ARGS,
  examples: [{ command: "rastos aur install paru", description: "Then deploy the new snapshot" }],
  environment: AUR_ENVIRONMENT,
  run: async (context) => (await import("./install-run.ts")).run(context),
});
