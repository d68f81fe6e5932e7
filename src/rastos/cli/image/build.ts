import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { SOURCE_ARGS } from "./source-args.ts";

const BUILD_ARGS = {
  system: {
    type: "positional",
    required: false,
    completes: "path",
    valueHint: "SYSTEM.TOML",
    description: "The declared system: packages, repositories, users, services, kernel, boot",
  },
  output: {
    type: "string",
    alias: "o",
    default: "disk.raw",
    valueHint: "FILE",
    completes: "path",
    description: "Where the image goes",
  },
  format: {
    type: "enum",
    options: ["raw", "qcow2"],
    valueHint: "FORMAT",
    description: "raw or qcow2; without it by the name of the file",
  },
  size: {
    type: "string",
    default: "4G",
    valueHint: "SIZE",
    description: "Size of the disk; the file takes only as much as is in it",
  },
  ...SOURCE_ARGS,
  force: {
    type: "boolean",
    alias: "f",
    description: "Replace an image that is there already",
  },
  "dry-run": {
    type: "boolean",
    description: "Put the system together, show what would be on the disk, and write no image",
  },
} as const satisfies ArgsSpec;

/** The arguments of `rastos image build`. */
export type BuildArgs = typeof BUILD_ARGS;

/** `rastos image build [SYSTEM.TOML]`. */
export const buildCommand = defineCommand({
  meta: {
    name: "build",
    description: "Build a disk image that boots, without root and without mounting anything",
    synonyms: ["create", "make"],
    details: `
      The disk has a GPT with a BIOS boot partition, a boot partition (FAT) and a btrfs, which
      already holds snapshot 0 and a deployment of it that boots. UEFI machines boot by
      systemd-boot; machines with a BIOS boot by GRUB where its modules are in the system, or where
      [boot] loader is "grub".

      The same input gives the same bytes. Nothing on the disk is newer than SOURCE_DATE_EPOCH, or
      than the newest package where that is not set. Identifiers of disk, partitions and file
      systems come from what goes in.

      Machine id, host keys of ssh, random seed and keys of pacman are left to the machine's first
      boot: no two machines share them.

      Without root, files belong to whom the packages say, home folders to their users, and the
      rest to root.
    `,
  },
  args: BUILD_ARGS,
  examples: [
    { command: "rastos image build system.toml -o disk.raw", description: "A raw image" },
    {
      command: "rastos image build system.toml -o disk.qcow2 --size 20G",
      description: "For QEMU, of 20 GiB",
    },
    { command: "rastos image build --base rootfs -o disk.raw", description: "From a folder" },
  ],
  exitCodes: { 0: "The image is there", 1: "It is not; nothing is left of it" },
  environment: {
    SOURCE_DATE_EPOCH: "Nothing in the image is newer, in seconds since 1970",
  },
  run: async (context) => (await import("./build-run.ts")).run(context),
});
