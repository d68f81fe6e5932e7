import { configReference } from "../kit/config/docs.ts";
import { blitConfigSchema } from "./config-schema.ts";

/** The text of docs/reference/blit-config.md. */
export function blitConfigReference(): string {
  return configReference({
    title: "blit: config.toml",
    intro: [
      "Settings of `blit copy`, `blit mirror` and `blit move`, read from",
      "`~/.config/blit/config.toml` (`$XDG_CONFIG_HOME/blit/config.toml`). It need not exist.",
      "Flags come before it. An unknown key is an error. There are no settings for speed.",
    ].join("\n"),
    schema: blitConfigSchema,
  });
}
