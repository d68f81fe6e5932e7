/** What a build backend says of the parts of a project; see dynamic-sets.ts. */
import { Fault } from "../../kit/fault/fault.ts";
import type { InstalledDistribution } from "../env/installed.ts";
import { MarkerSet } from "../pep/marker-algebra.ts";
import { parseCoreMetadata } from "../pep/metadata.ts";
import { type Requirement, requirementToString } from "../pep/requirement.ts";
import { type ProjectRequirement, readNamedRequirement } from "../project/requirement-line.ts";
import type { Interpreter } from "../python/probe.ts";
import type { CoreMetadata } from "../resolve/port.ts";
import { sortedRequirements } from "../resolve/requirements-by-extra.ts";
import type { Project, RequirementSet } from "./project.ts";
import type { Session } from "./session.ts";

/** For messages. */
const ORIGIN = "pyproject.toml (dynamic)";

/** The parts, those that are dynamic as a build has told them. */
export function withDynamic(
  sets: readonly RequirementSet[],
  { dynamic, folder }: Pick<Project, "dynamic" | "folder">,
  metadata: CoreMetadata,
): RequirementSet[] {
  const { plain, ofExtras, ofAnyExtra } = sortedRequirements(metadata);
  const read = (list: readonly Requirement[], extra?: string): ProjectRequirement[] =>
    list.flatMap((one) => withoutExtra(one, extra, folder) ?? []);
  const known = sets.filter(({ kind }) => kind === "extra").map(({ name }) => name);
  const told = dynamic.includes("optional-dependencies")
    ? metadata.providesExtra.filter((name) => !known.includes(name))
    : [];
  const extras = told.map((name): RequirementSet => {
    return { kind: "extra", name, requirements: read(ofExtras.get(name) ?? ofAnyExtra, name) };
  });
  const base = dynamic.includes("dependencies") ? read(plain) : [];
  return sets.flatMap((set) =>
    set.kind === "base"
      ? [{ ...set, requirements: [...base, ...set.requirements] }, ...extras]
      : [set],
  );
}

/** Whether an install of the project says other things of itself than its backend does now. */
export function saysOther(installed: InstalledDistribution, metadata: CoreMetadata): boolean {
  const said = ({ requiresDist, providesExtra }: CoreMetadata): string =>
    JSON.stringify([requiresDist.map(requirementToString).sort(), [...providesExtra].sort()]);
  const text = installed.metadataText();
  return text === undefined || said(parseCoreMetadata(text)) !== said(metadata);
}

/** Undefined for what does not count with this extra, or without any. */
function withoutExtra(
  requirement: Requirement,
  extra: string | undefined,
  base: string,
): ProjectRequirement | undefined {
  const { name, extras, specifier, url, marker } = requirement;
  const text = requirementToString({ name, extras, specifier, ...(url ? { url } : {}) });
  const place = { origin: ORIGIN, base };
  if (marker === undefined) return readNamedRequirement(text, place);
  const rest = MarkerSet.of(marker).withExtras(new Set(extra === undefined ? [] : [extra]));
  if (rest.isFalse()) return undefined;
  // A space before ";" ends a URL.
  const where = rest.isTrue() ? "" : ` ; ${rest.toMarkerString()}`;
  return readNamedRequirement(text + where, place);
}

/**
 * The metadata of the project, as a build of it as editable has it.
 *
 * @throws {Fault} E_BUILD, E_NETWORK, E_UNSATISFIABLE
 */
export async function askBackend(
  session: Session,
  interpreter: Interpreter,
  { folder, name, dynamic }: Project,
): Promise<CoreMetadata> {
  try {
    const source = { kind: "directory", path: folder, editable: true } as const;
    const { metadata } = await session.builder(interpreter).buildDirect(source, undefined);
    return metadata;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault({
      code: error.code,
      message: `Cannot tell what "${name}" asks for: its ${dynamic.join(" and ")} are dynamic`,
      cause: error,
      hint: error.hint,
      excerpt: error.excerpt,
      details: error.details,
    });
  }
}
