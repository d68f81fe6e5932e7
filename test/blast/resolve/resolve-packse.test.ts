import { expect, test } from "bun:test";
import { parseMarker } from "../../../src/blast/pep/marker.ts";
import { parsePackageName } from "../../../src/blast/pep/name.ts";
import { parseSpecifierSet } from "../../../src/blast/pep/specifier.ts";
import { tagsForPlatform } from "../../../src/blast/pep/tag.ts";
import { NoSolution } from "../../../src/blast/resolve/no-solution.ts";
import type { Resolution, ResolveRequest, Target } from "../../../src/blast/resolve/port.ts";
import { explain } from "../../../src/blast/resolve/report.ts";
import { resolve } from "../../../src/blast/resolve/resolve.ts";
import { environmentGrid, flawIn, type Pin } from "../../support/closed-set.ts";
import { MemoryIndex } from "../../support/memory-index.ts";
import { needsPackse, readScenarios, type Scenario } from "../../support/packse.ts";
import { linuxMarkers, requestFor } from "../../support/resolve-request.ts";
import { describeUnless } from "../../support/skip.ts";

/**
 * Where packse's own answers and PEP 440 part (pre-releases where nothing else fits), and one whose
 * first resolution can succeed: any consistent answer will do, as in ../shared/tools.
 */
const DISPUTED = new Set([
  "package-only-prereleases-in-range",
  "transitive-package-only-prereleases-in-range",
  "transitive-prerelease-and-stable-dependency",
  "transitive-prerelease-and-stable-dependency-many-versions",
  "transitive-prerelease-and-stable-dependency-many-versions-holes",
  "package-prereleases-specifier-boundary",
  "package-prerelease-specified-mixed-available",
  "preferences-dependent-forking-conflicting",
]);
/** Asks for what neither uv's command line nor this resolver's request can say. */
const NOT_ASKED = new Set(["requires-python-subset"]);

describeUnless(needsPackse())("packse", () => {
  const scenarios = readScenarios();

  test("all scenarios are there", () => {
    expect(scenarios.length).toBe(147);
  });

  for (const scenario of scenarios) {
    if (NOT_ASKED.has(scenario.name)) continue;
    test(`${scenario.group}/${scenario.name}`, async () => {
      expect(await verdict(scenario)).toBe("as expected");
    });
  }
});

async function verdict(scenario: Scenario): Promise<string> {
  let resolution: Resolution;
  try {
    resolution = await resolve(requestOf(scenario), new MemoryIndex(scenario.universe));
  } catch (error) {
    if (!(error instanceof NoSolution)) throw error;
    if (explain(error).message === "") return "no explanation";
    return scenario.satisfiable && !DISPUTED.has(scenario.name) ? "no answer" : "as expected";
  }
  if (!scenario.satisfiable && !DISPUTED.has(scenario.name)) return "an answer";
  return flawOf(resolution, scenario) ?? "as expected";
}

function flawOf(resolution: Resolution, scenario: Scenario): string | undefined {
  const { requires, universe, packages, requiresPython } = scenario;
  const pins = resolution.packages.map(
    ({ name, version, marker }): Pin => ({
      name,
      version,
      marker: marker === undefined ? undefined : parseMarker(marker.toMarkerString()),
    }),
  );
  const expected = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  const got = pins.map(({ name, version }) => `${name} ${version}`);
  if (!DISPUTED.has(scenario.name) && expected.length > 0 && `${got}` !== `${expected.sort()}`) {
    return `got ${got}, expected ${expected}`;
  }
  const universal = scenario.options.universal === true;
  const environments = universal
    ? environmentGrid(requiresPython)
    : [linuxMarkers(pythonOf(scenario))];
  for (const environment of environments) {
    const flaw = flawIn(pins, requires, universe, environment, !universal);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

function requestOf(scenario: Scenario): ResolveRequest {
  const { options, requires, requiresPython } = scenario;
  const python = pythonOf(scenario);
  const target: Target =
    options.universal === true
      ? { kind: "universal", requiresPython: parseSpecifierSet(requiresPython).toRange() }
      : {
          kind: "environment",
          markers: linuxMarkers(python),
          tags: tagsForPlatform({ python, platform: options.python_platform ?? "linux" }),
        };
  return requestFor(requires, {
    target,
    preReleases: options.prereleases === true ? "allow" : "if-necessary",
    noBinary: new Set((options.no_binary ?? []).map(parsePackageName)),
    onlyBinary: new Set((options.no_build ?? []).map(parsePackageName)),
  });
}

/** A minor version alone is its first release when it is asked for, a late one when installed. */
function pythonOf({ options, python }: Scenario): string {
  if (options.python !== undefined) {
    return options.python.split(".").length > 2 ? options.python : `${options.python}.0`;
  }
  return python.split(".").length > 2 ? python : `${python}.18`;
}
