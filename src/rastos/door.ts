import { type CommandSpec, defineCommand } from "../kit/cli/command.ts";
import { type Plugs, ports } from "./ports.ts";

/** `rastos`: its commands, each loaded when it is needed. */
export const rastosCommand = defineCommand({
  meta: {
    name: "rastos",
    description: "A system that changes only by snapshots, and boots the good one",
  },
  tool: true,
  subCommands: {
    // One line per command, by owner; each loads its spec only when it is asked for.
    apply: async () => (await import("./cli/system/apply.ts")).applyCommand,
    plan: async () => (await import("./cli/system/plan.ts")).planCommand,
    drift: async () => (await import("./cli/system/drift.ts")).driftCommand,
    system: async () => (await import("./cli/system/system.ts")).systemCommand,
    migrate: async () => (await import("./cli/system/migrate.ts")).migrateCommand,
    users: async () => (await import("./cli/users/users.ts")).usersCommand,
    image: async () => (await import("./cli/image/image.ts")).imageCommand,
    snapshot: async () => (await import("./cli/snapshot/snapshot.ts")).snapshotCommand,
    tree: async () => (await import("./cli/snapshot/tree.ts")).treeCommand,
    clone: async () => (await import("./cli/snapshot/clone.ts")).cloneCommand,
    branch: async () => (await import("./cli/snapshot/branch.ts")).branchCommand,
    desc: async () => (await import("./cli/snapshot/desc.ts")).descCommand,
    backup: async () => (await import("./cli/backup/backup.ts")).backupCommand,
    chroot: async () => (await import("./cli/snapshot/chroot.ts")).chrootCommand,
    run: async () => (await import("./cli/snapshot/run.ts")).runCommand,
    tmp: async () => (await import("./cli/snapshot/tmp.ts")).tmpCommand,
    diff: async () => (await import("./cli/snapshot/diff.ts")).diffCommand,
    del: async () => (await import("./cli/snapshot/del.ts")).delCommand,
    deploy: async () => (await import("./cli/deploy/deploy.ts")).deployCommand,
    rollback: async () => (await import("./cli/deploy/rollback.ts")).rollbackCommand,
    status: async () => (await import("./cli/deploy/status.ts")).statusCommand,
    boot: async () => (await import("./cli/boot/boot.ts")).bootCommand,
    etc: async () => (await import("./cli/etc/etc.ts")).etcCommand,
    packages: async () => (await import("./cli/packages/packages.ts")).packagesCommand,
    install: async () => (await import("./cli/packages/install.ts")).installCommand,
    remove: async () => (await import("./cli/packages/remove.ts")).removeCommand,
    search: async () => (await import("./cli/packages/search.ts")).searchCommand,
    upgrade: async () => (await import("./cli/packages/upgrade.ts")).upgradeCommand,
    aur: async () => (await import("./cli/aur/aur.ts")).aurCommand,
    kernel: async () => (await import("./cli/kernel/kernel.ts")).kernelCommand,
    init: async () => (await import("./cli/init.ts")).initCommand,
    service: async () => (await import("./cli/service/service.ts")).serviceCommand,
    shutdown: async () => (await import("./cli/shutdown.ts")).shutdownCommand,
    reboot: async () => (await import("./cli/shutdown.ts")).rebootCommand,
    poweroff: async () => (await import("./cli/shutdown.ts")).poweroffCommand,
  },
  examples: [{ command: "rastos status", description: "What is booted, and why" }],
});

/** `init` and `rinit`: the name by which a kernel starts its first process. */
export async function loadInit(): Promise<CommandSpec> {
  return (await import("./cli/init.ts")).rinitCommand;
}

/** Gives rastos what it needs from outside its room. */
export function plugIn(plugs: Plugs): void {
  ports.createPackageWorker = plugs.createPackageWorker;
}
