import { configReference } from "../kit/config/docs.ts";
import { blastConfigSchema } from "./config-schema.ts";

/** The text of docs/reference/blast-toml.md. */
export function blastTomlReference(): string {
  return configReference({
    title: "blast.toml",
    intro: [
      "Settings of a project, read from `blast.toml` in its folder. It need not exist, and every",
      "key has a default. The same keys may stand in `[tool.blast.…]` of `pyproject.toml`, and in",
      "`~/.config/blast/config.toml` (`$XDG_CONFIG_HOME/blast/config.toml`) for all projects of a",
      "user: blast.toml comes before pyproject.toml, that before the user's file, and flags come",
      "before all of them. An unknown key is an error. A key marked with **No effect yet** is",
      "checked and otherwise left alone, and the run says so.",
    ].join("\n"),
    schema: blastConfigSchema,
  });
}
