/** What the command line asks for: words, files, editable folders, and what files say besides. */
import { Fault } from "../../kit/fault/fault.ts";
import { redactCredentials } from "../../kit/fault/redact.ts";
import type { PipConfig } from "../project/pip-config.ts";
import type { ProjectRequirement } from "../project/requirement-line.ts";
import { readRequirement } from "../project/requirement-line.ts";
import type { IndexFlags } from "./session.ts";

/** Requirements of the command line. */
export interface InputFlags {
  /** Specifiers, URLs and paths. */
  readonly words: readonly string[];
  readonly requirement?: readonly string[];
  readonly constraint?: readonly string[];
  readonly override?: readonly string[];
  readonly editable?: readonly string[];
}

/** What all of it says together. */
export interface Inputs {
  readonly named: readonly ProjectRequirement[];
  /** Of `-r` files. */
  readonly listed: readonly ProjectRequirement[];
  readonly constraints: readonly ProjectRequirement[];
  readonly overrides: readonly ProjectRequirement[];
  /** Options in files, in the terms of the flags; flags themselves go before them. */
  readonly index: IndexFlags;
  readonly noBinary: readonly string[];
  readonly onlyBinary: readonly string[];
  readonly pre: boolean;
  readonly requireHashes: boolean;
  /** Options in files that have no effect, worth telling. */
  readonly notes: readonly string[];
}

const NOTHING: Omit<Inputs, "named"> = {
  listed: [],
  constraints: [],
  overrides: [],
  index: {},
  noBinary: [],
  onlyBinary: [],
  pre: false,
  requireHashes: false,
  notes: [],
};

/** What is read besides the command line. */
export interface InputContext {
  /** That paths are relative to. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** pip's configuration, where it counts: constraints, and whether hashes are a must. */
  readonly pip?: Pick<PipConfig, "constraints" | "requireHashes">;
}

/**
 * Reads it all.
 *
 * @throws {Fault} E_CONFIG with file and line, E_NOT_FOUND
 */
export async function readInputs(flags: InputFlags, context: InputContext): Promise<Inputs> {
  const { folder, environment, pip } = context;
  const origin = "the command line";
  const words = flags.words.map((text) => readRequirement(text, { origin, base: folder }));
  const editables = (flags.editable ?? []).map((text) =>
    readRequirement(text, { origin, base: folder, editable: true }),
  );
  const requireHashes = pip?.requireHashes === true;
  const plain: Inputs = { ...NOTHING, named: [...words, ...editables], requireHashes };
  const files = flags.requirement ?? [];
  const constraints = [...(flags.constraint ?? []), ...(pip?.constraints ?? [])];
  const overrides = flags.override ?? [];
  if (files.length + constraints.length + overrides.length === 0) return plain;
  const { readRequirementsFiles } = await import("../project/requirements-txt.ts");
  const options = {
    base: folder,
    environment,
    fetchText: (url: string) => fetchRequirements(url, environment),
  };
  const [read, replaced] = await Promise.all([
    readRequirementsFiles(
      [
        ...files.map((path) => ({ path, constraint: false })),
        ...constraints.map((path) => ({ path, constraint: true })),
      ],
      options,
    ),
    readRequirementsFiles(
      overrides.map((path) => ({ path, constraint: false })),
      options,
    ),
  ]);
  return {
    named: plain.named,
    listed: read.requirements,
    constraints: read.constraints,
    overrides: replaced.requirements,
    index: {
      ...(read.indexUrl === undefined ? {} : { "index-url": read.indexUrl.value }),
      "extra-index-url": read.extraIndexUrls.map(({ value }) => value),
      "find-links": read.findLinks.map(({ value }) => value),
      "trusted-host": read.trustedHosts.map(({ value }) => value),
      ...(read.noIndex ? { index: false } : {}),
    },
    noBinary: [...read.formats.noBinary],
    onlyBinary: [...read.formats.onlyBinary],
    pre: read.preReleases,
    requireHashes: read.requireHashes || requireHashes,
    notes: [
      ...read.notes,
      ...(read.preferBinary ? ["--prefer-binary of a requirements file has no effect"] : []),
    ],
  };
}

/** What `-c` and `--override` say, for commands that take their requirements from the project. */
export async function readBounds(
  flags: Pick<InputFlags, "constraint" | "override">,
  { folder, environment }: Pick<InputContext, "folder" | "environment">,
): Promise<Pick<Inputs, "constraints" | "overrides">> {
  const { constraint = [], override = [] } = flags;
  if (constraint.length + override.length === 0) return { constraints: [], overrides: [] };
  return readInputs({ words: [], constraint, override }, { folder, environment });
}

async function fetchRequirements(
  url: string,
  environment: InputContext["environment"],
): Promise<string> {
  const { fetchText } = await import("../python/fetch.ts");
  const text = await fetchText(url, { environment, what: "requirements" });
  if (text !== undefined) return text;
  throw new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot read "${redactCredentials(url)}": the server has no such file`,
  });
}
