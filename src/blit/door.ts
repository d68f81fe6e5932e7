import { type CommandSpec, defineCommand } from "../kit/cli/command.ts";
import type { OwnTools } from "./cli/utils.ts";
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
    scan: async () => (await import("./cli/scan.ts")).scanCommand,
    list: async () => (await import("./cli/list.ts")).listCommand,
    jobs: async () => (await import("./cli/jobs.ts")).jobsCommand,
    utils: async () => (await import("./cli/utils.ts")).utilsCommand("utils", ownTools),
    diagnostics: async () => (await import("./cli/diagnostics.ts")).diagnosticsCommand,
  },
  examples: [
    { command: "blit copy photos /mnt/backup/", description: "Make /mnt/backup/photos" },
    { command: "blit mirror photos/ /mnt/backup/", description: "Make the folders equal" },
    { command: "blit list /mnt/backup", description: "See what is there" },
  ],
});

/** `blit utils` under a name of its own. */
export async function loadUtils(): Promise<CommandSpec> {
  return (await import("./cli/utils.ts")).utilsCommand("blit-utils", ownTools);
}

/** `blitd`, the daemon. */
export async function loadBlitd(): Promise<CommandSpec> {
  return (await import("./cli/blitd.ts")).blitdCommand;
}

const ownTools: OwnTools = {
  blit: () => blitCommand,
  "blit-utils": loadUtils,
  blitd: loadBlitd,
};

/** Gives blit what it needs from outside its room. */
export function plugIn(plugs: Plugs): void {
  ports.createCopyWorker = plugs.createCopyWorker;
  ports.createSendWorker = plugs.createSendWorker;
  ports.createReceiveWorker = plugs.createReceiveWorker;
  ports.createAdminWorker = plugs.createAdminWorker;
}
