import { configReference } from "../../kit/config/docs.ts";
import { serviceSchema } from "./schema.ts";

/** The text of docs/reference/service-toml.md. */
export function serviceTomlReference(): string {
  return configReference({
    title: "rastos: service files",
    intro: [
      "What rinit runs: `/usr/lib/rinit/NAME.toml` of a package, and `/etc/rinit/NAME.toml`, which",
      "overrides single keys of it or defines a service of its own. An unknown key is an error",
      "of that service alone. In the files of `NAME@.toml`, from which `NAME@INSTANCE` is made,",
      "`%i` stands for the instance. docs/concepts/services.md tells how it works together.",
    ].join("\n"),
    schema: serviceSchema,
  });
}
