import { describe, expect, test } from "bun:test";
import { parseMarker } from "../../../src/blast/pep/marker.ts";
import { parseSpecifierSet } from "../../../src/blast/pep/specifier.ts";
import { NoSolution } from "../../../src/blast/resolve/no-solution.ts";
import { explain } from "../../../src/blast/resolve/report.ts";
import { resolve } from "../../../src/blast/resolve/resolve.ts";
import { environmentGrid, flawIn, type Pin } from "../../support/closed-set.ts";
import { MemoryIndex } from "../../support/memory-index.ts";
import {
  isSatisfiable,
  type RandomUniverse,
  randomUniverse,
} from "../../support/random-universe.ts";
import { linuxMarkers, requestFor } from "../../support/resolve-request.ts";

/** BLAST_ORACLE_UNIVERSES asks for more. */
const COUNT = Number(process.env["BLAST_ORACLE_UNIVERSES"] ?? 2_000);
const UNIVERSAL_COUNT = COUNT / 10;
const LONG_COUNT = COUNT / 10;
const SEED = Number(process.env["BLAST_ORACLE_SEED"] ?? 1);

/** Of a machine that does other things as well. */
const TIMEOUT_MS = 60_000 + COUNT * 10;

describe("random universes", () => {
  const kinds = [
    { count: COUNT, what: "small ones", options: {} },
    { count: LONG_COUNT, what: "with many versions", options: { long: true } },
  ];
  for (const { count, what, options } of kinds) {
    test(
      `${count} ${what}: solved exactly when an exhaustive search finds a solution`,
      async () => {
        const seen = { satisfiable: 0, unsatisfiable: 0 };
        for (let seed = SEED; seed < SEED + count; seed += 1) {
          const random = randomUniverse(seed, options);
          const expected = isSatisfiable(random) ? "solved" : "none";
          seen[expected === "solved" ? "satisfiable" : "unsatisfiable"] += 1;
          expect(`${seed}: ${await verdict(random)}`).toBe(`${seed}: ${expected}`);
        }
        // Else the comparison says little.
        expect(Math.min(seen.satisfiable, seen.unsatisfiable)).toBeGreaterThan(count / 10);
      },
      TIMEOUT_MS,
    );
  }

  test(
    `${UNIVERSAL_COUNT} of them with markers: universal answers hold everywhere`,
    async () => {
      let solved = 0;
      for (let seed = SEED; seed < SEED + UNIVERSAL_COUNT; seed += 1) {
        const random = randomUniverse(seed, { markers: true });
        const answer = await universalVerdict(random);
        if (answer === "solved") solved += 1;
        expect(`${seed}: ${answer}`).toMatch(/: (?:solved|none)$/);
      }
      expect(solved).toBeGreaterThan(UNIVERSAL_COUNT / 10);
    },
    TIMEOUT_MS,
  );
});

async function verdict({ universe, requires }: RandomUniverse): Promise<string> {
  try {
    const { packages } = await resolve(requestFor(requires), new MemoryIndex(universe));
    return flawIn(packages.map(pinOf), requires, universe, linuxMarkers(), true) ?? "solved";
  } catch (error) {
    if (!(error instanceof NoSolution)) throw error;
    return explain(error).message === "" ? "no explanation" : "none";
  }
}

async function universalVerdict({ universe, requires }: RandomUniverse): Promise<string> {
  const python = ">=3.9";
  const requiresPython = parseSpecifierSet(python).toRange();
  const request = requestFor(requires, { target: { kind: "universal", requiresPython } });
  try {
    const { packages } = await resolve(request, new MemoryIndex(universe));
    const pins = packages.map(({ marker, ...rest }): Pin => {
      const text = marker?.toMarkerString();
      return { ...rest, marker: text === undefined ? undefined : parseMarker(text) };
    });
    for (const environment of environmentGrid(python)) {
      const flaw = flawIn(pins, requires, universe, environment, true);
      if (flaw !== undefined) return flaw;
    }
    return "solved";
  } catch (error) {
    if (!(error instanceof NoSolution)) throw error;
    return "none";
  }
}

function pinOf({ name, version }: Pick<Pin, "name" | "version">): Pin {
  return { name, version };
}
