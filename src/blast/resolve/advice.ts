import { parseSpecifierSet } from "../pep/specifier.ts";
import { type Fact, factsOf } from "./facts.ts";
import { Manifest } from "./manifest.ts";
import { type Failure, NoSolution } from "./no-solution.ts";
import type { RootRequirement } from "./port.ts";
import type { Scope } from "./scope.ts";
import type { Outcome, SearchOptions } from "./search.ts";

/** Changes that are tried, and versions that are looked at for each: help should not be dear. */
const TRIES_MAX = 4;
const DECISIONS_MAX = 300;
/** More ways out than this confuse. */
const SHOWN_MAX = 2;

/**
 * The same failure with the smallest change that would help, if giving up one of the user's own
 * bounds does: each bound that the failure rests on is left out in turn.
 *
 * @param find searches, as the failed search did
 */
export async function withAdvice<S extends Scope>(
  error: NoSolution,
  options: SearchOptions<S>,
  find: (options: SearchOptions<S>) => Promise<Outcome<S>>,
): Promise<NoSolution> {
  const ways: string[] = [];
  for (const item of boundsIn(error.failure).slice(0, TRIES_MAX)) {
    if (ways.length === SHOWN_MAX) break;
    const manifest = new Manifest(without(item, options.manifest));
    const { catalog, scope, preferred } = options;
    const relaxed = { catalog, scope, preferred, manifest, decisionsMax: DECISIONS_MAX };
    const way = await tryOut(item, () => find(relaxed));
    if (way !== undefined) ways.push(way);
  }
  if (ways.length === 0) return error;
  const advice = `it would work if ${ways.join(", or if ")}`;
  return new NoSolution({ ...error.failure, advice });
}

async function tryOut<S extends Scope>(
  item: RootRequirement,
  find: () => Promise<Outcome<S>>,
): Promise<string | undefined> {
  const { requirement, origin } = item;
  try {
    const outcome = await find();
    if (outcome.kind === "fork") return undefined;
    const found = outcome.chosen.find(({ name }) => name === requirement.name);
    const bound = `"${requirement.name}${requirement.specifier}" (${origin})`;
    return found === undefined
      ? `${bound} were left out`
      : `${bound} allowed ${found.candidate.version}`;
  } catch (error) {
    // Nothing that happens on the way to a piece of advice may hide the failure itself.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** The user's bounds that a failure rests on, in the order in which they are told. */
function boundsIn({ incompatibility, manifest }: Failure): RootRequirement[] {
  const { requirements, constraints } = manifest.request;
  const bounds: RootRequirement[] = [];
  for (const fact of factsOf(incompatibility)) {
    const list = listOf(fact, requirements, constraints);
    for (const item of list) if (!bounds.includes(item)) bounds.push(item);
  }
  return bounds;
}

function listOf(
  fact: Fact,
  requirements: readonly RootRequirement[],
  constraints: readonly RootRequirement[],
): readonly RootRequirement[] {
  if (fact.kind !== "asked" && fact.kind !== "constraint") return [];
  return (fact.kind === "asked" ? requirements : constraints).filter(
    ({ requirement, origin }) =>
      requirement.name === fact.package.name &&
      origin === fact.origin &&
      !requirement.specifier.toRange().isFull() &&
      requirement.specifier.toRange().equals(fact.range),
  );
}

function without(item: RootRequirement, { request }: Manifest): Manifest["request"] {
  const { requirement } = item;
  const { name, extras, marker } = requirement;
  const open = { name, extras, marker, specifier: parseSpecifierSet("") };
  const replace = (list: readonly RootRequirement[]) =>
    list.map((other) => (other === item ? { ...item, requirement: open } : other));
  return {
    ...request,
    requirements: replace(request.requirements),
    constraints: replace(request.constraints),
  };
}
