import type { ArgsSpec } from "../../kit/cli/command.ts";
import type { BuildSources } from "../python/install.ts";
import { openProject } from "../sync/project.ts";

/** Where builds come from. */
export const SOURCE_ARGS = {
  mirror: {
    type: "string",
    valueHint: "URL",
    description: "Fetch builds from here, in place of python-build-standalone's releases",
  },
  "python-downloads-json-url": {
    type: "string",
    valueHint: "URL",
    completes: "path",
    description: "A list of builds, as URL or path, in the shape that uv knows",
  },
  offline: {
    type: "boolean",
    description: "Ask no server",
  },
} as const satisfies ArgsSpec;

/** Variables that name the sources. */
export const SOURCE_ENVIRONMENT = {
  BLAST_PYTHON_MIRROR: "As --mirror; UV_PYTHON_INSTALL_MIRROR counts too",
  BLAST_PYTHON_DOWNLOADS_JSON_URL:
    "As --python-downloads-json-url; UV_PYTHON_DOWNLOADS_JSON_URL counts too",
} as const;

/** Flags, then variables, then blast.toml. */
export async function sourcesOf(flags: {
  readonly mirror: string | undefined;
  readonly "python-downloads-json-url": string | undefined;
  readonly offline: boolean;
}): Promise<BuildSources> {
  const environment = process.env;
  const { config } = await openProject(process.cwd(), environment);
  const { mirror, downloads_json } = config.values.python;
  const first = (...texts: (string | undefined)[]): string | undefined =>
    texts.find((text) => text !== undefined && text !== "");
  return {
    environment,
    offline: flags.offline,
    mirror: first(
      flags.mirror,
      environment["BLAST_PYTHON_MIRROR"],
      environment["UV_PYTHON_INSTALL_MIRROR"],
      mirror,
    ),
    downloadsJson: first(
      flags["python-downloads-json-url"],
      environment["BLAST_PYTHON_DOWNLOADS_JSON_URL"],
      environment["UV_PYTHON_DOWNLOADS_JSON_URL"],
      downloads_json,
    ),
  };
}
