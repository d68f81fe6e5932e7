/** The resolver's question from flags and settings, and its refusal as a fault. */
import { Fault } from "../../kit/fault/fault.ts";
import type { PackageName } from "../pep/name.ts";
import type { Version } from "../pep/version.ts";
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
  readonly resolution?: "highest" | "lowest" | "lowest-direct";
  readonly "exclude-newer"?: string | undefined;
}

/** What is asked. */
export interface Question {
  readonly target: Target;
  readonly requirements: readonly RootRequirement[];
  readonly constraints?: readonly RootRequirement[];
  readonly overrides?: readonly RootRequirement[];
  readonly preferences?: ReadonlyMap<PackageName, readonly Version[]>;
  readonly flags: ResolveFlags;
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
  const given = flags.resolution === "highest" ? undefined : flags.resolution;
  return {
    strategy: given ?? (resolver.strategy as Rules["strategy"]),
    preReleases: allowed ? "allow" : "if-necessary",
    noBinary: nameChoice(noBinary, "--no-binary"),
    onlyBinary: nameChoice(onlyBinary, "--only-binary"),
    ...(newest === "" ? {} : { excludeNewerMs: parseMoment(newest, "--exclude-newer") }),
  };
}

/**
 * Asks the resolver.
 *
 * @throws {Fault} E_UNSATISFIABLE with the derivation as its message
 */
export async function ask(
  session: Session,
  question: Question,
  index: PackageIndex,
): Promise<Resolution> {
  const [{ resolve }, rules] = await Promise.all([
    import("../resolve/resolve.ts"),
    rulesOf(session, question.flags),
  ]);
  const request: ResolveRequest = {
    target: question.target,
    requirements: question.requirements,
    constraints: question.constraints ?? [],
    overrides: question.overrides ?? [],
    preferences: question.preferences ?? new Map(),
    ...rules,
  };
  try {
    const resolution = await resolve(request, index);
    for (const warning of resolution.warnings) session.printer.warn(warning);
    return resolution;
  } catch (error) {
    throw await unsatisfiable(error);
  }
}

async function unsatisfiable(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || error.name !== "NoSolution") return error;
  const [{ explain }, { NoSolution }] = await Promise.all([
    import("../resolve/report.ts"),
    import("../resolve/no-solution.ts"),
  ]);
  if (!(error instanceof NoSolution)) return error;
  const { message, hint } = explain(error);
  return new Fault({
    code: "E_UNSATISFIABLE",
    message: `Cannot find versions that fit together: ${message}`,
    hint,
  });
}
