import { defineCommand } from "../kit/cli/command.ts";
import { type Plugs, ports } from "./ports.ts";

/** `blit`: its commands, each loaded when it is needed. */
export const blitCommand = defineCommand({
  meta: {
    name: "blit",
    description: "Copy, mirror and move files as fast as the disks allow",
  },
  tool: true,
  subCommands: {
    copy: async () => (await import("./cli/copy.ts")).copyCommand,
    mirror: async () => (await import("./cli/mirror.ts")).mirrorCommand,
    move: async () => (await import("./cli/move.ts")).moveCommand,
    list: async () => (await import("./cli/list.ts")).listCommand,
    diagnostics: async () => (await import("./cli/diagnostics.ts")).diagnosticsCommand,
  },
  examples: [
    { command: "blit copy photos /mnt/backup/", description: "Make /mnt/backup/photos" },
    { command: "blit mirror photos/ /mnt/backup/", description: "Make the folders equal" },
    { command: "blit list /mnt/backup", description: "See what is there" },
  ],
});

/** Gives blit what it needs from outside its room. */
export function plugIn(plugs: Plugs): void {
  ports.createCopyWorker = plugs.createCopyWorker;
  ports.createSendWorker = plugs.createSendWorker;
  ports.createReceiveWorker = plugs.createReceiveWorker;
  ports.createAdminWorker = plugs.createAdminWorker;
}
