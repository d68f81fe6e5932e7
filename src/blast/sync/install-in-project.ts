/** Installing by name in a project: recorded, locked, installed, or none of it. */
import { basename, resolve } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import type { ProjectRequirement } from "../project/requirement-line.ts";
import { type ChangeOutcome, changeEnvironment } from "./change.ts";
import { setsFor } from "./dynamic-sets.ts";
import { useFileOptions } from "./file-options.ts";
import type { Inputs } from "./inputs.ts";
import { lockProject } from "./lock-project.ts";
import { Overtaken } from "./overtaken.ts";
import type { Place } from "./place.ts";
import { openProject, type Project, type RequirementSet, selectionOf } from "./project.ts";
import type { ResolveFlags } from "./question.ts";
import { type RecordEdit, type RecordPlace, withRequirements } from "./record.ts";
import {
  boundedText,
  type NamedRequirement,
  recordedText,
  together,
  withNames,
} from "./recorded.ts";
import type { Session } from "./session.ts";
import { noteSynced } from "./up-to-date.ts";

/** What to install, and how. */
export interface ProjectInstall {
  readonly inputs: Inputs;
  readonly args: {
    readonly group: readonly string[];
    readonly extra: readonly string[];
    readonly optional?: string | undefined;
    readonly upgrade: boolean;
    readonly locked: boolean;
    readonly frozen: boolean;
  };
  readonly flags: ResolveFlags;
  readonly dryRun: boolean;
  readonly compileBytecode: boolean;
  readonly command: string;
}

/** What was done, and the files of the project that changed. */
export interface ProjectChange {
  readonly outcome: ChangeOutcome;
  readonly files: readonly string[];
}

/**
 * Records the names, brings the lock file up to date and installs; all of it or nothing.
 *
 * @throws {Fault} whatever stands in the way; project and environment are as they were then
 */
export async function installInProject(
  session: Session,
  place: Place,
  request: ProjectInstall,
): Promise<ProjectChange> {
  const { inputs } = request;
  await useFileOptions(session);
  const { own, others } = splitOwn(session.project, inputs.named);
  const args = {
    ...request.args,
    extra: [...request.args.extra, ...own.flatMap((one) => one.extras)],
  };
  const named = together(await withNames(others, () => session.index(place.interpreter)));
  const where = recordPlace(args, named);
  const loose = named.map(recordedText);
  const first =
    loose.length === 0 ? undefined : await withRequirements(session.project, where, loose);
  const changed = asTyped(await projectWith(session, first), named);
  const locked = await lockProject(session, place.interpreter, changed, {
    upgrade: args.upgrade ? "all" : new Set(named.map(({ name }) => name)),
    flags: request.flags,
    locked: args.locked,
    frozen: args.frozen,
    constraints: inputs.constraints,
    overrides: inputs.overrides,
  });
  const bounded = named.map((one) => boundedText(one, locked.resolution));
  const final =
    first === undefined ? undefined : await withRequirements(session.project, where, bounded);
  // Read again, the file may hold what the answer knows nothing of.
  if (first?.before !== final?.before) {
    throw new Overtaken(`"${basename(final?.path ?? "")}" was changed meanwhile`);
  }
  const project = await projectWith(session, final);
  const lockEdit = await locked.editFor(project);
  const edits = [final, lockEdit].filter(
    (edit): edit is RecordEdit => edit !== undefined && edit.before !== edit.after,
  );
  const sets = args.frozen ? locked.sets : await setsFor(session, place.interpreter, project);
  const selection = selectionOf(sets, selectionFlags(args, where));
  const wanted = await locked.wanted(place.interpreter, selection);
  const outcome = await changeEnvironment(session, place, {
    wanted,
    exact: false,
    dryRun: request.dryRun,
    compileBytecode: request.compileBytecode,
    command: request.command,
    manifests: edits,
  });
  // Without a selection of its own this was a sync as well.
  const isUsual =
    args.group.length === 0 && args.extra.length === 0 && where.optional === undefined;
  if (isUsual && !request.dryRun) {
    if (edits.length > 0) await session.reopenProject();
    noteSynced(session, place, request.flags, { exact: false, wanted, project });
  }
  return { outcome, files: edits.map(({ path }) => basename(path)) };
}

/**
 * `blast install -e .` names the project itself, which is installed so that changes count at once
 * wherever it can be built, and needs no record.
 */
function splitOwn(project: Project, named: readonly ProjectRequirement[]) {
  const isOwn = ({ source }: ProjectRequirement): boolean =>
    source?.kind === "directory" && resolve(source.path) === project.folder;
  const own = named.filter(isOwn);
  if (own.length > 0 && !project.isPackage) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot install "${project.folder}" as a package: it does not say how to build it`,
      hint: "[project] and [build-system] in pyproject.toml say it; --no-record tries without",
    });
  }
  return { own, others: named.filter((one) => !isOwn(one)) };
}

/** The project as it will be with the edit. */
async function projectWith(session: Session, edit: RecordEdit | undefined): Promise<Project> {
  if (edit === undefined) return session.project;
  const texts = new Map([[edit.path, edit.after]]);
  return openProject(session.project.folder, session.environment, { exactly: true, texts });
}

/** As long as nothing is written, what was typed stands on the command line and in no file. */
function asTyped(project: Project, named: readonly NamedRequirement[]): Project {
  const names = new Set<string | undefined>(named.map(({ name }) => name));
  const typed = (one: ProjectRequirement): ProjectRequirement =>
    names.has(one.name) ? { ...one, origin: "the command line" } : one;
  const sets = async (): Promise<readonly RequirementSet[]> =>
    (await project.sets()).map((set) => ({ ...set, requirements: set.requirements.map(typed) }));
  return { ...project, sets };
}

function recordPlace(
  args: ProjectInstall["args"],
  named: readonly ProjectRequirement[],
): RecordPlace {
  const [group, second] = args.group;
  if (second !== undefined && named.length > 0) {
    throw new Fault({
      code: "E_USAGE",
      message: `Cannot record in the groups "${group}" and "${second}" at the same time`,
      hint: "name one group",
    });
  }
  if (group !== undefined && args.optional !== undefined && named.length > 0) {
    throw new Fault({
      code: "E_USAGE",
      message: `Cannot record both in the group "${group}" and in the extra "${args.optional}"`,
      hint: "leave out --group or --optional",
    });
  }
  return named.length === 0 ? {} : { group, optional: args.optional };
}

/** What was just recorded in a group or extra is installed, although it was not selected. */
function selectionFlags(args: ProjectInstall["args"], where: RecordPlace) {
  return {
    extra: [...args.extra, ...(where.optional === undefined ? [] : [where.optional])],
    group: args.group,
  };
}
