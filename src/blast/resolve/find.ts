import type { PackageName } from "../pep/name.ts";
import { NoSolution } from "./no-solution.ts";
import type { DirectSource } from "./port.ts";
import type { Scope } from "./scope.ts";
import { type Outcome, Search, type SearchOptions, SourceFound } from "./search.ts";
import { Unsolvable } from "./solver.ts";

/**
 * Searches one scope.
 *
 * @throws NoSolution, and whatever the index throws
 */
export async function find<S extends Scope>(options: SearchOptions<S>): Promise<Outcome<S>> {
  try {
    return await findPlain(options);
  } catch (error) {
    if (!(error instanceof NoSolution)) throw error;
    const { withAdvice } = await import("./advice.ts");
    throw await withAdvice(error, options, findPlain);
  }
}

async function findPlain<S extends Scope>(options: SearchOptions<S>): Promise<Outcome<S>> {
  const { catalog, manifest, scope } = options;
  const sources = new Map<PackageName, DirectSource>(options.sources);
  // Every turn but the last finds a place for one package more.
  for (;;) {
    try {
      return await new Search({ ...options, sources }).run();
    } catch (error) {
      if (error instanceof Unsolvable) {
        const { incompatibility } = error;
        throw new NoSolution({ incompatibility, catalog, manifest, scope });
      }
      if (!(error instanceof SourceFound)) throw error;
      sources.set(...error.place);
    }
  }
}
