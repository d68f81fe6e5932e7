import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { CHANGE_ARGS } from "../root-args.ts";
import { ESP_ARG } from "./boot-args.ts";

const INSTALL_ARGS = {
  loader: {
    type: "enum",
    options: ["systemd-boot", "grub"],
    default: "systemd-boot",
    description: "Which boot loader",
    details:
      "systemd-boot starts UEFI machines. For grub the menu is written, which GRUB on a BIOS " +
      "machine reads; GRUB itself is put onto a disk by `rastos install` and `rastos image`.",
  },
  timeout: {
    type: "string",
    valueHint: "SECONDS",
    number: { minimum: 0, maximum: 3600 },
    description: "How long the menu is shown",
  },
  ...ESP_ARG,
  ...CHANGE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos boot install`. */
export type InstallArgs = typeof INSTALL_ARGS;

/** `rastos boot install`. */
export const installCommand = defineCommand({
  meta: {
    name: "install",
    description: "Install the boot loader, or bring it up to date",
    details: `
      systemd-boot is taken from the newest snapshot, or from this machine where that has none.

      With --json the written paths are printed, with schema "rastos.boot.installed/1".
    `,
  },
  args: INSTALL_ARGS,
  examples: [
    { command: "rastos boot install", description: "On the system that is running" },
    { command: "rastos boot install --root /mnt --esp disk.img", description: "Elsewhere" },
  ],
  run: async (context) => (await import("./install-run.ts")).run(context),
});
