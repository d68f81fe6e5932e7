import { defineCommand } from "../../../kit/cli/command.ts";

/** `rastos snapshot`: the tree of snapshots. */
export const snapshotCommand = defineCommand({
  meta: {
    name: "snapshot",
    description: "Make, show, compare, change, send and remove snapshots",
    synonyms: ["snap", "snapshots", "create", "new", "send", "receive", "pin", "prune"],
  },
  subCommands: {
    create: async () => (await import("./create.ts")).createCommand,
    tree: async () => (await import("./tree.ts")).treeCommand,
    clone: async () => (await import("./clone.ts")).cloneCommand,
    branch: async () => (await import("./branch.ts")).branchCommand,
    desc: async () => (await import("./desc.ts")).descCommand,
    pin: async () => (await import("./pin.ts")).pinCommand,
    unpin: async () => (await import("./pin.ts")).unpinCommand,
    del: async () => (await import("./del.ts")).delCommand,
    deploy: async () => (await import("../deploy/deploy.ts")).deployCommand,
    rollback: async () => (await import("../deploy/rollback.ts")).rollbackCommand,
    status: async () => (await import("../deploy/status.ts")).statusCommand,
    prune: async () => (await import("./prune.ts")).pruneCommand,
    chroot: async () => (await import("./chroot.ts")).chrootCommand,
    run: async () => (await import("./run.ts")).runCommand,
    tmp: async () => (await import("./tmp.ts")).tmpCommand,
    diff: async () => (await import("./diff.ts")).diffCommand,
    sizes: async () => (await import("./sizes.ts")).sizesCommand,
    send: async () => (await import("./send.ts")).sendCommand,
    receive: async () => (await import("./receive.ts")).receiveCommand,
    rebuild: async () => (await import("./rebuild.ts")).rebuildCommand,
  },
  examples: [
    { command: "rastos snapshot tree", description: "Which snapshots there are" },
    { command: "rastos snapshot clone 3", description: "A child of snapshot 3" },
    { command: "rastos snapshot chroot 3", description: "Change a clone of it by hand" },
  ],
});
