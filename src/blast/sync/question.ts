/** The resolver's question from flags and settings, and its refusal as a fault. */
import { Fault } from "../../kit/fault/fault.ts";
import type { PackageName } from "../pep/name.ts";
import type { Version } from "../pep/version.ts";
import type { Interpreter } from "../python/probe.ts";
import type {
  PackageIndex,
  Resolution,
  ResolveRequest,
  RootRequirement,
  Target,
} from "../resolve/port.ts";
import { parseMoment } from "./moment.ts";
import { nameChoice } from "./name-choice.ts";
import type { Session } from "./session.ts";

/** Flags that say how versions are chosen; absent ones were not given. */
export interface ResolveFlags {
  readonly pre?: boolean;
  readonly "no-binary"?: readonly string[];
  readonly "only-binary"?: readonly string[];
  readonly resolution?: "highest" | "lowest" | "lowest-direct" | undefined;
  readonly "exclude-newer"?: string | undefined;
  /** Files. */
  readonly constraint?: readonly string[];
  readonly override?: readonly string[];
}

/** What is asked. */
export interface Question {
  /** Whose pip says which index there is, where nothing else does. */
  readonly interpreter: Interpreter;
  readonly target: Target;
  readonly requirements: readonly RootRequirement[];
  readonly constraints?: readonly RootRequirement[];
  readonly overrides?: readonly RootRequirement[];
  readonly preferences?: ReadonlyMap<PackageName, readonly Version[]>;
  readonly flags: ResolveFlags;
  /** False: the index is seen through something, so that its answers are not the usual ones. */
  readonly isPlain?: boolean;
}

/** The parts of the question that flags and settings decide. */
export type Rules = Pick<
  ResolveRequest,
  "strategy" | "preReleases" | "noBinary" | "onlyBinary" | "excludeNewerMs"
>;

/** Flags laid over blast.toml laid over pip's configuration. */
export async function rulesOf(session: Session, flags: ResolveFlags): Promise<Rules> {
  const { resolver } = session.config.values;
  const pip = await session.pip();
  const allowed = flags.pre === true || resolver.allow_prereleases || pip.preReleases === true;
  const noBinary = [
    ...(pip.formats?.noBinary ?? []),
    ...resolver.no_binary,
    ...(flags["no-binary"] ?? []),
  ];
  const onlyBinary = [
    ...(pip.formats?.onlyBinary ?? []),
    ...resolver.only_binary,
    ...(flags["only-binary"] ?? []),
  ];
  const newest = flags["exclude-newer"] ?? resolver.exclude_newer;
  return {
    strategy: flags.resolution ?? (resolver.strategy as Rules["strategy"]),
    preReleases: allowed ? "allow" : "if-necessary",
    noBinary: nameChoice(noBinary, "--no-binary"),
    onlyBinary: nameChoice(onlyBinary, "--only-binary"),
    ...(newest === "" ? {} : { excludeNewerMs: parseMoment(newest, "--exclude-newer") }),
  };
}

/**
 * Asks the resolver, unless the answer is known and nothing has changed since.
 *
 * @param open the index, or a view of it that is no index of its own
 * @throws {Fault} E_UNSATISFIABLE with the derivation as its message
 */
export async function ask(
  session: Session,
  question: Question,
  open: () => Promise<PackageIndex>,
): Promise<Resolution> {
  if (question.requirements.length === 0) return { packages: [], warnings: [] };
  const rules = await rulesOf(session, question.flags);
  const request: ResolveRequest = {
    target: question.target,
    requirements: question.requirements,
    constraints: question.constraints ?? [],
    overrides: question.overrides ?? [],
    preferences: question.preferences ?? new Map(),
    ...rules,
  };
  const answers =
    question.isPlain === false
      ? undefined
      : await answerFile(session, question.interpreter, request);
  const isAnew = session.flags.refresh === true || session.environment["BLAST_SOLVE_ANEW"];
  const known = isAnew ? undefined : answers?.read();
  const resolution = known ?? (await solve(request, await open()));
  if (known === undefined) answers?.keep(resolution, await session.consulted());
  for (const warning of resolution.warnings) session.printer.warn(warning);
  return resolution;
}

/** Answers for all platforms are kept in lock files. */
async function answerFile(session: Session, interpreter: Interpreter, request: ResolveRequest) {
  if (request.target.kind !== "environment" || (await session.avoidsCache())) return undefined;
  const { AnswerFile } = await import("./answers.ts");
  const { cacheFolder, offline } = session;
  const indexes = await session.indexPlaces(interpreter);
  return new AnswerFile(request, { cacheFolder, offline, indexes });
}

async function solve(request: ResolveRequest, index: PackageIndex): Promise<Resolution> {
  const { resolve } = await import("../resolve/resolve.ts");
  try {
    return await resolve(request, index);
  } catch (error) {
    throw await unsatisfiable(error);
  }
}

/**
 * The resolver's refusal as a fault; anything else as it is.
 *
 * @param action what cannot be done
 */
export async function unsatisfiable(
  error: unknown,
  action = "find versions that fit together",
): Promise<unknown> {
  if (!(error instanceof Error) || error.name !== "NoSolution") return error;
  const [{ explain }, { NoSolution }] = await Promise.all([
    import("../resolve/report.ts"),
    import("../resolve/no-solution.ts"),
  ]);
  if (!(error instanceof NoSolution)) return error;
  const { message, facts, hint } = explain(error);
  return new Fault({
    code: "E_UNSATISFIABLE",
    message: `Cannot ${action}: ${message}`,
    excerpt: facts,
    hint,
  });
}
