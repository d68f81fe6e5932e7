import { configReference } from "../../kit/config/docs.ts";
import { systemSchema } from "./schema.ts";

/** The text of docs/reference/system-toml.md. */
export function systemTomlReference(): string {
  return configReference({
    title: "rastos: system.toml",
    intro: [
      "What a system is to be, for `rastos apply`, `rastos plan` and `rastos image build`. Every",
      "table may be left out, and what the file does not name stays as it is in the system. What",
      "it named when it was applied before, and names no more, is taken back. An unknown key is an",
      "error. The file is kept in the snapshot that it makes, readable by root alone, as it may",
      "hold hashes of passwords.",
    ].join("\n"),
    schema: systemSchema,
  });
}
