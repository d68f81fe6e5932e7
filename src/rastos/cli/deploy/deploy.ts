import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { ESP_ARG } from "../boot/boot-args.ts";
import { CHANGE_ARGS } from "../root-args.ts";
import { ETC_ARG } from "./inherit-args.ts";

const DEPLOY_ARGS = {
  snapshot: {
    type: "positional",
    required: false,
    valueHint: "SNAPSHOT",
    description: "Number of a snapshot, or name of a branch; default: the newest snapshot",
  },
  ...ESP_ARG,
  tries: {
    type: "string",
    valueHint: "N",
    number: { minimum: 0, maximum: 20 },
    description: "Boots within which it must be blessed, or the one before it boots again",
    details: "3 if nothing is said. 0 takes it as good from the beginning.",
  },
  cmdline: {
    type: "string",
    valueHint: "WORDS",
    description: "Further words for the kernel, in the place of those in etc/kernel/cmdline",
  },
  kernel: {
    type: "string",
    valueHint: "NAME",
    description: "Version or package of the kernel, where the snapshot has several",
  },
  loader: {
    type: "enum",
    options: ["systemd-boot", "grub"],
    description: "Write the entries for GRUB too; afterwards they are kept up to date",
  },
  keep: {
    type: "string",
    valueHint: "N",
    number: { minimum: 1, maximum: 100 },
    description: "Good deployments to keep beside the new one; 3 if nothing is said",
  },
  ...ETC_ARG,
  ...CHANGE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos deploy`. */
export type DeployArgs = typeof DEPLOY_ARGS;

/** `rastos deploy [SNAPSHOT]`. */
export const deployCommand = defineCommand({
  meta: {
    name: "deploy",
    description: "Have a snapshot boot next",
    details: `
      Makes a writable clone of the snapshot with a kernel and a boot entry of its own. What boots
      now stays as it is, and boots again by itself when nobody blesses the new one within its
      tries. A crash at any moment leaves the old system or the new one.

      What was changed by hand in /etc of the deployment that is running goes along. Where the
      snapshot has changed the same file too, the file is yours and the snapshot's is put beside it
      as NAME.rastos-new; accounts are merged one by one; what system.toml declares counts more
      than either. \`rastos etc diff\` shows beforehand what was changed.

      Deployments beyond those to keep are removed at the end, never the one that is running, and
      never those of pinned snapshots.

      With --json the deployment is printed, with schema "rastos.deployment/1".
    `,
  },
  args: DEPLOY_ARGS,
  examples: [
    { command: "rastos deploy", description: "The newest snapshot" },
    { command: "rastos deploy 3 --dry-run", description: "What it would take" },
    { command: "rastos deploy --no-etc", description: "With /etc just as the snapshot has it" },
    { command: "rastos deploy 3 --root /mnt --esp disk.img", description: "Of another system" },
  ],
  run: async (context) => (await import("./deploy-run.ts")).run(context),
});
