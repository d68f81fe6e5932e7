import type { ArgsSpec } from "../../../kit/cli/command.ts";

/** The flag of every command that reads or changes what boots. */
export const ESP_ARG = {
  esp: {
    type: "string",
    valueHint: "FOLDER|IMAGE",
    completes: "path",
    description: "The boot partition: the folder where it is mounted, or a disk image",
    details:
      "Without it, that of the system that is running. Of an image with a partition table the " +
      "EFI system partition is taken; mtools reads and writes it, so nothing has to be mounted.",
  },
} as const satisfies ArgsSpec;
