/**
 * A note beside the environment of what it was last synced to, so that a sync with nothing to do
 * reads a few small files and resolves nothing.
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../kit/store/atomic.ts";
import { STATE_FOLDER } from "../env/state-folder.ts";
import { buildInputsOf } from "./build-inputs.ts";
import type { Place } from "./place.ts";
import type { Project, SelectionFlags } from "./project.ts";
import type { ResolveFlags } from "./question.ts";
import type { Asked } from "./satisfied.ts";
import type { Session } from "./session.ts";
import type { WantedPackage } from "./wanted.ts";

/** The parts of a sync's flags that its result depends on. */
export type SyncFlags = ResolveFlags & SelectionFlags;

interface Note {
  readonly format: 1;
  /** Of the project's files and the flags. */
  readonly inputs: string;
  /** Of site-packages: whoever installs or removes something changes it. */
  readonly sites: string;
  /** Nothing is there that nothing asks for. */
  readonly exact: boolean;
}

const NAME = "synced.json";

/** Files of a project that say what is wanted, or what it is itself when it is installed. */
const INPUTS = [
  "blast.toml",
  "pyproject.toml",
  "requirements.txt",
  "pylock.toml",
  "setup.py",
  "setup.cfg",
] as const;

/**
 * True if the last sync had the same inputs and nobody has changed the packages since. An exact one
 * never takes the word of files for what only a build knows for sure.
 */
export function isUpToDate(
  session: Session,
  place: Place,
  flags: SyncFlags,
  exact = false,
): boolean {
  if (place.planned !== undefined) return false;
  if (exact && session.project.dynamic.length > 0) return false;
  const note = readNote(place);
  return (
    note?.format === 1 &&
    (note.exact || !exact) &&
    note.sites === sitesOf(place) &&
    note.inputs !== undefined &&
    note.inputs === inputsOf(session, place, flags)
  );
}

/** Notes that a sync has just succeeded. A note that cannot be written costs time later on. */
export function noteSynced(
  session: Session,
  place: Place,
  flags: SyncFlags,
  result: {
    readonly exact: boolean;
    readonly wanted: readonly WantedPackage[];
    /** As it was synced: somebody may have edited its files meanwhile. */
    readonly project: Project;
  },
): void {
  for (const [path, text] of result.project.texts) if (readOrNull(path) !== text) return;
  // Folders may change without any of these files doing so.
  const isStable = result.wanted.every(
    ({ source }) => source === undefined || source.kind !== "directory" || source.editable,
  );
  if (!isStable) return;
  const inputs = inputsOf(session, place, flags);
  if (inputs === undefined) return;
  const note: Note = { format: 1, inputs, sites: sitesOf(place), exact: result.exact };
  try {
    writeFileAtomic({ path: notePath(place), content: JSON.stringify(note) });
  } catch {}
}

/** How many questions are remembered that were answered with yes. */
const SATISFIED_MAX = 8;
const SATISFIED_NAME = "satisfied.json";

/**
 * Whether all of this was found installed and fitting, and nobody has changed the packages since;
 * `note` remembers that it was.
 */
export function satisfiedNote(place: Place, asked: Asked): { known: boolean; note: () => void } {
  const texts = [asked.requirements, asked.constraints].map((list) =>
    list.map(({ text, editable }) => (editable ? `-e ${text}` : text)),
  );
  const described = JSON.stringify([place.interpreter.markers, sitesOf(place), texts]);
  const key = new Bun.CryptoHasher("sha256").update(described).digest("hex");
  const path = join(place.environment.root, STATE_FOLDER, SATISFIED_NAME);
  const keys = readKeys(path);
  return {
    known: place.planned === undefined && keys.includes(key),
    note: () => {
      try {
        const kept = [key, ...keys].slice(0, SATISFIED_MAX);
        writeFileAtomic({ path, content: JSON.stringify(kept) });
      } catch {}
    },
  };
}

function readKeys(path: string): readonly string[] {
  try {
    const keys: unknown = JSON.parse(readFileSync(path, "utf8"));
    return Array.isArray(keys) ? keys : [];
  } catch {
    return [];
  }
}

function notePath(place: Place): string {
  return join(place.environment.root, STATE_FOLDER, NAME);
}

function readNote(place: Place): Partial<Note> | undefined {
  try {
    return JSON.parse(readFileSync(notePath(place), "utf8")) as Partial<Note>;
  } catch {
    return undefined;
  }
}

/** Undefined where other files count as well. */
function inputsOf(session: Session, place: Place, flags: SyncFlags): string | undefined {
  const { folder, files, dynamic } = session.project;
  if ((flags.constraint ?? []).length + (flags.override ?? []).length > 0) return undefined;
  const texts: (string | null)[] = INPUTS.map((name) => readOrNull(join(folder, name)));
  const requirements = files.requirements === undefined ? null : texts[2];
  // Other files are read with it, and folders are named by path.
  if (requirements != null && /^\s*(-|\.|\/)/m.test(requirements)) return undefined;
  const asked = [
    place.interpreter.version,
    flags.extra ?? [],
    flags.group ?? [],
    flags.pre ?? false,
    flags["no-binary"] ?? [],
    flags["only-binary"] ?? [],
    flags.resolution ?? "highest",
    flags["exclude-newer"] ?? "",
  ];
  const built = dynamic.length > 0 ? [buildInputsOf(folder)] : [];
  const described = JSON.stringify([asked, texts, ...built]);
  return new Bun.CryptoHasher("sha256").update(described).digest("hex");
}

/** Adding or removing an entry changes the time of a folder. */
function sitesOf(place: Place): string {
  const { purelib, platlib } = place.environment.paths;
  return [...new Set([purelib, platlib])]
    .map((path) => {
      const status = statSync(path, { bigint: true, throwIfNoEntry: false });
      return status === undefined ? "" : `${status.ino}:${status.mtimeNs}`;
    })
    .join(" ");
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
