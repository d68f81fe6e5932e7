import { expect, test } from "bun:test";
import { evaluateMarker } from "../../../src/blast/pep/marker.ts";
import { parseCoreMetadata } from "../../../src/blast/pep/metadata.ts";
import { parseExtraName } from "../../../src/blast/pep/name.ts";
import { requirementToString } from "../../../src/blast/pep/requirement.ts";
import { demandsOf } from "../../../src/blast/resolve/demand.ts";
import { Manifest } from "../../../src/blast/resolve/manifest.ts";
import { EnvironmentScope } from "../../../src/blast/resolve/scope.ts";
import { linuxMarkers, requestFor } from "../../support/resolve-request.ts";

const MARKERS = [
  "",
  "; sys_platform == 'linux'",
  "; extra == 'a'",
  "; extra == 'A_b'",
  "; extra == 'a' or extra == 'c'",
  "; extra == 'a' and sys_platform == 'linux'",
  "; extra == 'a' and sys_platform == 'win32'",
  "; (extra == 'a' or sys_platform == 'linux') and os_name == 'posix'",
  "; extra == 'c' or python_version >= '3.12'",
  "; extra != 'a'",
  "; extra in 'a c'",
  "; extra == ''",
];

/** Long lists are sorted, short ones are not: both must answer what the markers say. */
test.each([1, 4])("what extras bring, with every marker %d times", (times) => {
  const lines = ["Metadata-Version: 2.1", "Name: x", "Version: 1"];
  for (let turn = 0; turn < times; turn += 1) {
    for (const [at, marker] of MARKERS.entries()) {
      lines.push(`Requires-Dist: p${turn}-${at} ${marker}`);
    }
  }
  const metadata = parseCoreMetadata(`${lines.join("\n")}\n\n`);
  const environment = linuxMarkers();
  const manifest = new Manifest(requestFor([]));
  const scope = new EnvironmentScope(environment);
  for (const name of [undefined, "a", "a-b", "c", "d"]) {
    const extra = name === undefined ? undefined : parseExtraName(name);
    const expected = metadata.requiresDist.filter(({ marker }) => {
      if (marker === undefined) return extra === undefined;
      const without = evaluateMarker(marker, environment);
      if (extra === undefined) return without;
      return !without && evaluateMarker(marker, environment, new Set([extra]));
    });
    const found = demandsOf(metadata, extra, manifest, scope);
    expect(found.map(({ requirement }) => requirementToString(requirement))).toEqual(
      expected.map(requirementToString),
    );
  }
});
