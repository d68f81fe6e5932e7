import { configReference } from "../../kit/config/docs.ts";
import { daemonConfigSchema } from "./daemon-config.ts";

/** The text of docs/reference/blitd-config.md. */
export function blitdConfigReference(): string {
  return configReference({
    title: "blitd: config.toml",
    intro: [
      "Settings of the daemon `blitd`, read from `/etc/blit/config.toml` or the file that",
      "`--config` names. It need not exist. Flags come before it. An unknown key is an error.",
      "SIGHUP reads it again: modules, lists of hosts and tokens change for new connections;",
      "addresses, ports and TLS stay until a restart. There are no settings for speed.",
    ].join("\n"),
    schema: daemonConfigSchema,
  });
}
