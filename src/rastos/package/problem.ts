import { Fault } from "../../kit/fault/fault.ts";

/** Why a transaction cannot be: as data, the same from libalpm and from pacman's output. */
export type PackageProblem =
  | { readonly kind: "not-found"; readonly names: readonly string[] }
  | { readonly kind: "not-installed"; readonly names: readonly string[] }
  | { readonly kind: "unsatisfied"; readonly missing: readonly MissingDependency[] }
  | { readonly kind: "conflicting"; readonly pairs: readonly PackagePair[] }
  | { readonly kind: "files"; readonly conflicts: readonly FileConflict[] }
  | { readonly kind: "damaged"; readonly files: readonly string[]; readonly lines: Lines }
  | { readonly kind: "untrusted"; readonly files: readonly string[]; readonly lines: Lines }
  | { readonly kind: "architecture"; readonly packages: readonly string[] }
  | { readonly kind: "locked"; readonly path: string; readonly holder: string | undefined }
  | { readonly kind: "no-space"; readonly lines: Lines }
  | { readonly kind: "not-fetched"; readonly repositories: readonly string[] }
  | { readonly kind: "database"; readonly repositories: readonly string[]; readonly lines: Lines }
  | { readonly kind: "fetch"; readonly lines: Lines }
  | { readonly kind: "hook"; readonly lines: Lines }
  | { readonly kind: "interrupted" }
  | { readonly kind: "other"; readonly reason: string; readonly lines: Lines };

type Lines = readonly string[];

/** A dependency that nothing fulfils, or would fulfil any more. */
export interface MissingDependency {
  /** `name>=version`. */
  readonly dependency: string;
  readonly requiredBy: string;
  /** The package whose removal or upgrade takes it away. */
  readonly causedBy?: string | undefined;
}

export interface PackagePair {
  readonly first: string;
  readonly second: string;
  /** What the first says that it conflicts with, where that says more than the name. */
  readonly reason?: string | undefined;
}

export interface FileConflict {
  /** From the root, with a slash at the start. */
  readonly file: string;
  readonly package: string;
  /** Who has the file already: an installed package, or another one of the transaction. */
  readonly owner?: string | undefined;
  readonly isTarget: boolean;
}

const SHOWN_MAX = 8;

/** The problem in words, with what to do about it. */
export function packageFault(problem: PackageProblem, action = "change packages"): Fault {
  const cannot = `Cannot ${action}`;
  const details = { problem };
  switch (problem.kind) {
    case "not-found":
      return new Fault({
        code: "E_NOT_FOUND",
        message: `${cannot}: no repository has ${quotedList(problem.names)}`,
        hint: "`rastos packages search WORD` looks for names; `rastos packages sync` fetches news",
        details,
      });
    case "not-installed":
      return new Fault({
        code: "E_NOT_FOUND",
        message: `${cannot}: ${quotedList(problem.names)} is not installed`,
        hint: "`rastos packages list` shows what is",
        details,
      });
    case "unsatisfied":
      return unsatisfiedFault(problem.missing, cannot);
    case "conflicting":
      return conflictFault(problem.pairs, cannot);
    case "files":
      return filesFault(problem.conflicts, cannot);
    case "damaged":
      return new Fault({
        code: "E_INTEGRITY",
        message: `${cannot}: ${filesText(problem.files)} is not intact`,
        hint: "the file was taken out of the cache; try again, or ask whoever serves it",
        excerpt: shown(problem.lines),
        details,
      });
    case "untrusted":
      return new Fault({
        code: "E_INTEGRITY",
        message: `${cannot}: the signature of ${filesText(problem.files)} does not count`,
        hint: "add the signer's key to the keyring (pacman-key), or change the SigLevel",
        excerpt: shown(problem.lines),
        details,
      });
    default:
      return systemFault(problem, cannot);
  }
}

type SystemProblem = Exclude<
  PackageProblem,
  {
    kind:
      | "not-found"
      | "not-installed"
      | "unsatisfied"
      | "conflicting"
      | "files"
      | "damaged"
      | "untrusted";
  }
>;

function systemFault(problem: SystemProblem, cannot: string): Fault {
  const details = { problem };
  switch (problem.kind) {
    case "architecture":
      return new Fault({
        code: "E_REFUSED",
        message: `${cannot}: ${quotedList(problem.packages)} is for another kind of processor`,
        details,
      });
    case "locked":
      return lockedFault(problem, cannot);
    case "no-space":
      return new Fault({
        code: "E_NO_SPACE",
        message: `${cannot}: not enough free space`,
        hint: "remove old snapshots or packages, or run `rastos packages clean`",
        excerpt: shown(problem.lines),
        details,
      });
    case "not-fetched":
      return new Fault({
        code: "E_NOT_FOUND",
        message: `${cannot}: the database of ${quotedList(problem.repositories)} is not here yet`,
        hint: "fetch it by `rastos packages sync`",
        details,
      });
    case "database":
      return new Fault({
        code: "E_INTEGRITY",
        message: `${cannot}: the database of ${quotedList(problem.repositories)} is damaged`,
        hint: "`rastos packages sync` fetches it again; a signature that is missing is asked for",
        excerpt: shown(problem.lines),
        details,
      });
    case "fetch":
      return new Fault({
        code: "E_NETWORK",
        message: `${cannot}: not everything could be fetched`,
        hint: "check the servers of the repositories and the network",
        excerpt: shown(problem.lines),
        details,
      });
    case "hook":
      return new Fault({
        code: "E_REFUSED",
        message: `${cannot}: a hook said no`,
        hint: "hooks lie in usr/share/libalpm/hooks and etc/pacman.d/hooks of the root",
        excerpt: shown(problem.lines),
        details,
      });
    case "interrupted":
      return new Fault({
        code: "E_INTERRUPTED",
        message: `${cannot}: it was interrupted`,
        hint: "what is complete stays; the same command goes on",
        details,
      });
    case "other":
      return new Fault({
        code: "E_IO",
        message: `${cannot}: ${problem.reason}`,
        excerpt: shown(problem.lines),
        details,
      });
  }
}

function unsatisfiedFault(missing: readonly MissingDependency[], cannot: string): Fault {
  const sentence = ({ dependency, requiredBy, causedBy }: MissingDependency): string =>
    causedBy === undefined
      ? `"${requiredBy}" needs "${dependency}", which nothing provides`
      : `"${requiredBy}" needs "${dependency}", which would go with ${cause(dependency, causedBy)}`;
  const isBroken = missing.some(({ causedBy }) => causedBy !== undefined);
  return new Fault({
    code: "E_UNSATISFIABLE",
    message: `${cannot}: ${sentences(missing.map(sentence))}`,
    hint: isBroken
      ? "change the packages that need it in the same step, or leave it as it is"
      : "fetch the databases by `rastos packages sync`, or add the repository that has it",
    details: { problem: { kind: "unsatisfied", missing } },
  });
}

function cause(dependency: string, name: string): string {
  return dependency === name ? "this" : `"${name}"`;
}

function conflictFault(pairs: readonly PackagePair[], cannot: string): Fault {
  const sentence = ({ first, second, reason }: PackagePair): string =>
    `"${first}" and "${second}" exclude each other${reason === undefined ? "" : ` (${reason})`}`;
  return new Fault({
    code: "E_UNSATISFIABLE",
    message: `${cannot}: ${sentences(pairs.map(sentence))}`,
    hint: "leave one of them out; `rastos install --replace` removes the installed one",
    details: { problem: { kind: "conflicting", pairs } },
  });
}

function filesFault(conflicts: readonly FileConflict[], cannot: string): Fault {
  const sentence = ({ file, package: name, owner, isTarget }: FileConflict): string => {
    if (isTarget) return `"${file}" is in "${name}" and in "${owner}"`;
    if (owner !== undefined) return `"${file}" of "${name}" belongs to "${owner}"`;
    return `"${file}" of "${name}" is there already and belongs to no package`;
  };
  const isStray = conflicts.some(({ owner }) => owner === undefined);
  return new Fault({
    code: "E_REFUSED",
    message: `${cannot}: ${sentences(conflicts.map(sentence))}`,
    hint: isStray ? "move the files away, and try again" : "remove one of the packages first",
    details: { problem: { kind: "files", conflicts } },
  });
}

function lockedFault(problem: Extract<PackageProblem, { kind: "locked" }>, cannot: string): Fault {
  const { path, holder } = problem;
  if (holder !== undefined) {
    return new Fault({
      code: "E_LOCKED",
      message: `${cannot}: ${holder} works on the same packages`,
      hint: "wait until it is done",
      details: { problem },
    });
  }
  return new Fault({
    code: "E_LOCKED",
    message: `${cannot}: "${path}" is there, though no process holds it`,
    hint: "an earlier run was killed: look whether its last package is whole, then delete the file",
    details: { problem },
  });
}

function sentences(all: readonly string[]): string {
  const rest = all.length - SHOWN_MAX;
  const some = all.slice(0, SHOWN_MAX).join("; ");
  return rest > 0 ? `${some}; and ${rest} more` : some;
}

function filesText(files: readonly string[]): string {
  return files.length === 0 ? "a package" : quotedList(files);
}

function quotedList(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}

function shown(lines: Lines): Lines {
  return lines.slice(0, 2 * SHOWN_MAX);
}
