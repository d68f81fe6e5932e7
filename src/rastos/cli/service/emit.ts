import { defineCommand } from "../../../kit/cli/command.ts";
import { FOLDER_ARGS } from "./service-args.ts";

/** The arguments of `rastos service emit`. */
export const EMIT_ARGS = {
  folder: {
    type: "positional",
    required: false,
    valueHint: "DIR",
    completes: "folder",
    description: "Where the units are written; without it they are printed",
  },
  systemd: { type: "boolean", description: "As units of systemd, the only kind there is" },
  only: {
    type: "string",
    repeatable: true,
    valueHint: "NAME",
    description: "These services alone",
  },
  services: {
    type: "string",
    repeatable: true,
    valueHint: "DIR",
    completes: "folder",
    description: "Folder of service files instead of those of the root",
  },
  "dry-run": { type: "boolean", description: "Show what would be done, and do nothing" },
  ...FOLDER_ARGS,
} as const;

/** `rastos service emit`. */
export const serviceEmitCommand = defineCommand({
  meta: {
    name: "emit",
    description: "Write services as units of systemd, for systems that keep it",
    synonyms: ["export", "convert"],
    details: `
      What a unit cannot say is told as a warning. systemd's own targets stay as they are: "default"
      is multi-user.target there. With --json each unit is an object with schema
      "rastos.service-unit/1": service, unit, content and notes.
    `,
  },
  args: EMIT_ARGS,
  examples: [
    { command: "rastos service emit --systemd /etc/systemd/system", description: "Write units" },
    { command: "rastos service emit --systemd --only sshd", description: "Look at one" },
  ],
  run: async (context) => (await import("./emit-run.ts")).run(context),
});
