/**
 * What a project's requirements.txt says besides its requirements: the project is resolved with it
 * as `blast install -r requirements.txt` would be.
 */
import { isAbsolute, relative, sep } from "node:path";
import { redactCredentials } from "../../kit/fault/redact.ts";
import type { ProjectRequirement } from "../project/requirement-line.ts";
import type { Inputs } from "./inputs.ts";
import type { Project } from "./project.ts";
import type { ResolveFlags } from "./question.ts";
import type { Session } from "./session.ts";

/** The options; those that say where packages come from are the session's by now. */
export interface FileOptions {
  readonly constraints: readonly ProjectRequirement[];
  /** Requirements that need hashes, with all that they bring; undefined: none do. */
  readonly hashed: readonly ProjectRequirement[] | undefined;
  /** The flags of a command, which go before what the file says. */
  over<Flags extends ResolveFlags>(flags: Flags): Flags;
  /** What an answer depends on of it, to be compared; undefined where there is no option. */
  readonly described: unknown;
}

const NONE: FileOptions = {
  constraints: [],
  hashed: undefined,
  over: (flags) => flags,
  described: undefined,
};

/** Folders of the projects whose options a session has. */
const told = new WeakMap<Session, Set<string>>();

/**
 * The options of the project's file, of which the session gets its part. To be asked before the
 * session's index is opened.
 *
 * @param project the session's own, or what an edit makes of it
 * @throws {Fault} E_CONFIG with file and line, E_NOT_FOUND
 */
export async function useFileOptions(
  session: Session,
  project: Project = session.project,
): Promise<FileOptions> {
  const read = await project.requirementsFile();
  if (read === undefined) return NONE;
  const folders = told.get(session) ?? new Set();
  told.set(session, folders);
  if (!folders.has(project.folder)) {
    folders.add(project.folder);
    for (const note of read.notes) session.printer.warn(note);
    session.addFlags(read.index);
  }
  return {
    constraints: read.constraints,
    hashed: read.requireHashes ? read.listed : undefined,
    over: (flags) => ({
      ...flags,
      pre: flags.pre === true || read.pre,
      "no-binary": [...read.noBinary, ...(flags["no-binary"] ?? [])],
      "only-binary": [...read.onlyBinary, ...(flags["only-binary"] ?? [])],
    }),
    described: described(read, project.folder),
  };
}

/** The same on every machine: folders by their path from the project's, and no credentials. */
function described(read: Inputs, folder: string): unknown {
  const { index, noBinary, onlyBinary, listed, requireHashes } = read;
  const place = (text: string): string =>
    isAbsolute(text) ? relative(folder, text).split(sep).join("/") : redactCredentials(text);
  const places = (texts: readonly string[] | undefined): string[] => (texts ?? []).map(place);
  const main = index["index-url"];
  const parts = {
    indexes: [...places(index["extra-index-url"]), ...(main === undefined ? [] : [place(main)])],
    findLinks: places(index["find-links"]),
    noIndex: index.index === false ? [true] : [],
    noBinary,
    onlyBinary,
    hashes: requireHashes ? listed.map(({ text, hashes }) => [text, [...hashes].sort()]) : [],
  };
  const said = Object.entries(parts).filter(([, values]) => values.length > 0);
  return said.length === 0 ? undefined : Object.fromEntries(said);
}
