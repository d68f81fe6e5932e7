import { defineCommand } from "../../../kit/cli/command.ts";

/** `rastos users`: accounts in a snapshot or a folder. */
export const usersCommand = defineCommand({
  meta: {
    name: "users",
    description: "Add, remove and list accounts, and the keys that may log in",
    synonyms: ["user", "accounts"],
    details: `
      A change is made in a new snapshot; \`rastos deploy\` has it boot. With --root DIR, where DIR
      is no tree of snapshots, the folder itself is changed. What a system.toml declares comes
      back with the next \`rastos apply\`.
    `,
  },
  subCommands: {
    list: async () => (await import("./users-list.ts")).usersListCommand,
    add: async () => (await import("./users-add.ts")).usersAddCommand,
    remove: async () => (await import("./users-remove.ts")).usersRemoveCommand,
    keys: async () => (await import("./users-keys.ts")).usersKeysCommand,
  },
  examples: [
    { command: "rastos users add ada --group wheel", description: "In a new snapshot" },
    { command: "rastos users keys add ada ~/.ssh/id_ed25519.pub", description: "One more key" },
  ],
});
