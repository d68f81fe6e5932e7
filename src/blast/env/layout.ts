import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { sanitise } from "../../kit/fault/redact.ts";
import { directUrlText } from "../project/direct-url.ts";
import type { Environment } from "./environment.ts";
import type { InstallItem, WheelFile, WheelSource } from "./install-item.ts";
import { LINK_FLAG } from "./link.ts";
import { formatRecordEntry, needsQuotes } from "./record.ts";
import { entryPointScript, parseEntryPoints, rewriteScript } from "./scripts.ts";
import { STATE_FOLDER } from "./state-folder.ts";

/**
 * Where everything of a wheel goes in an environment, and what is written beside it.
 * @see https://packaging.python.org/en/latest/specifications/binary-distribution-format/
 */

/** A file that goes elsewhere than its place in the wheel says. */
export interface MovedFile {
  /** In the wheel's tree. */
  readonly source: string;
  /** Relative to the environment's root. */
  readonly target: string;
  readonly sha256: string;
  /** To be given permission to execute, which the wheel does not give it. */
  readonly needsMode: boolean;
  readonly executable: boolean;
}

/** A file that is made here; never a link to the store. */
export interface WrittenFile {
  /** Relative to the environment's root. */
  readonly target: string;
  readonly content: string | Uint8Array;
  readonly executable: boolean;
}

/** RECORD: its text is long, and nobody waits for it while files are being linked. */
export interface RecordFile {
  readonly target: string;
  content(): string;
}

/** Files of `plain` that stand together and lie in one folder. */
export interface FolderRun {
  /** Relative to the environment's root. */
  readonly folder: string;
  /** In `plain`. */
  readonly start: number;
  end: number;
}

/** One distribution, laid out. */
export interface Layout {
  readonly item: InstallItem;
  /** The wheel's root in the environment: purelib or platlib, relative to the root. */
  readonly site: string;
  /** Relative to `site`, in the wheel's tree as in the environment. */
  readonly plain: readonly WheelFile[];
  /** `plain` by folder: there are far fewer folders than files. */
  readonly runs: readonly FolderRun[];
  /** LINK_FLAG for each file of the wheel: all but `plain` are left out. */
  readonly flags: Uint8Array;
  readonly moved: readonly MovedFile[];
  readonly written: readonly WrittenFile[];
  readonly record: RecordFile;
  /** Every folder with something in it and those above, relative to the root, parents first. */
  readonly folders: readonly string[];
}

/** What a wheel says in dist-info of things that the installer decides. */
const OURS: ReadonlySet<string> = new Set(["RECORD", "INSTALLER", "REQUESTED", "direct_url.json"]);

/**
 * Lays a wheel out.
 *
 * @throws {Fault} E_INTEGRITY where its entry points are malformed, or a file of it is refused
 */
export function layOut(environment: Environment, item: InstallItem): Layout {
  const { wheel } = item;
  const site = wheel.rootIsPurelib ? environment.relative.purelib : environment.relative.platlib;
  const data = wheel.dataFolder === undefined ? undefined : `${wheel.dataFolder}/`;
  const info = `${wheel.distInfo}/`;
  const plain: WheelFile[] = [];
  const runs: FolderRun[] = [];
  const inData: WheelFile[] = [];
  const { files } = wheel;
  const flags = new Uint8Array(files.length).fill(LINK_FLAG.skip);
  let hasEntryPoints = false;
  let run: FolderRun | undefined;
  let folder = "";
  let isData = false;
  let isInfo = false;
  for (let index = 0; index < files.length; index++) {
    const file = files[index] as WheelFile;
    const { path } = file;
    const slash = path.lastIndexOf("/");
    // Files of one folder mostly stand together.
    if (run === undefined || slash !== folder.length || !path.startsWith(folder)) {
      folder = slash < 0 ? "" : path.slice(0, slash);
      isData = data !== undefined && path.startsWith(data);
      isInfo = path.startsWith(info);
      run = { folder: folder === "" ? site : `${site}/${folder}`, start: plain.length, end: 0 };
      if (!isData) runs.push(run);
    }
    if (isData) {
      inData.push(file);
      continue;
    }
    if (isInfo) {
      const name = path.slice(info.length);
      if (OURS.has(name)) continue;
      hasEntryPoints ||= name === "entry_points.txt";
    }
    run.end = plain.push(file);
    flags[index] = file.executable ? LINK_FLAG.executable : 0;
  }
  const scripts = hasEntryPoints ? entryPointScripts(environment, item) : [];
  const { moved, rewritten } = placeData(environment, item, inData, scripts);
  const written = [...scripts, ...rewritten, ...infoFiles(site, item)];
  const target = `${site}/${info}RECORD`;
  return {
    item,
    site,
    plain,
    runs,
    flags,
    moved,
    written,
    record: {
      target,
      content: () => recordText(wheel, { site, target, plain, inData, moved, written }),
    },
    folders: foldersOf(runs, moved, written),
  };
}

function entryPointScripts(environment: Environment, item: InstallItem): WrittenFile[] {
  const { wheel } = item;
  const path = join(wheel.folder, wheel.distInfo, "entry_points.txt");
  const entries = parseEntryPoints(readFileSync(path, "utf8"), wheel.name);
  return [...entries.consoleScripts, ...entries.guiScripts].map((entry) => ({
    target: under(environment.relative.scripts, entry.name),
    content: entryPointScript(environment.python, entry),
    executable: true,
  }));
}

/** INSTALLER, REQUESTED and direct_url.json. */
function infoFiles(site: string, item: InstallItem): WrittenFile[] {
  const info = `${site}/${item.wheel.distInfo}`;
  const files: WrittenFile[] = [
    { target: `${info}/INSTALLER`, content: "blast\n", executable: false },
  ];
  if (item.requested) {
    files.push({ target: `${info}/REQUESTED`, content: "", executable: false });
  }
  if (item.directUrl !== undefined) {
    const content = directUrlText(item.directUrl);
    files.push({ target: `${info}/direct_url.json`, content, executable: false });
  }
  return files;
}

/** The files of the data folder, by the scheme that their first folder names. */
function placeData(
  environment: Environment,
  item: InstallItem,
  files: readonly WheelFile[],
  scripts: readonly WrittenFile[],
): { readonly moved: MovedFile[]; readonly rewritten: WrittenFile[] } {
  const { wheel } = item;
  const moved: MovedFile[] = [];
  const rewritten: WrittenFile[] = [];
  const made = new Set(scripts.map(({ target }) => target));
  const skip = (wheel.dataFolder ?? "").length + 1;
  for (const { path, sha256, executable } of files) {
    const slash = path.indexOf("/", skip);
    const scheme = path.slice(skip, slash);
    const folder = schemeFolder(environment, item, scheme);
    if (slash < 0 || folder === undefined) {
      throw new Fault({
        code: "E_INTEGRITY",
        message: `Cannot install "${wheel.name}": its data folder has "${sanitise(scheme)}"`,
        hint: "purelib, platlib, headers, scripts and data are what may be in it",
      });
    }
    const target = under(folder, path.slice(slash + 1));
    refuseState(wheel.name, target);
    const isScript = scheme === "scripts";
    // An entry point's own script takes the place of the wheel's.
    if (isScript && made.has(target)) continue;
    const content = isScript ? rewrite(environment, join(wheel.folder, path)) : undefined;
    if (content !== undefined) rewritten.push({ target, content, executable: true });
    else {
      const needsMode = isScript && !executable;
      moved.push({ source: path, target, sha256, needsMode, executable: isScript || executable });
    }
  }
  return { moved, rewritten };
}

/** A journal that a wheel brings would be believed, and files be written far outside of here. */
function refuseState(name: string, target: string): void {
  const [first = ""] = target.split("/", 1);
  if (first.toLowerCase() !== STATE_FOLDER) return;
  throw new Fault({
    code: "E_INTEGRITY",
    message: `Cannot install "${name}": its file "${sanitise(target)}" is refused`,
    hint: `"${STATE_FOLDER}" of an environment is blast's own: do not trust where this comes from`,
  });
}

function rewrite(environment: Environment, path: string): Uint8Array | undefined {
  return rewriteScript(readFileSync(path), environment.python);
}

function schemeFolder(
  environment: Environment,
  item: InstallItem,
  scheme: string,
): string | undefined {
  const { relative } = environment;
  switch (scheme) {
    case "purelib":
    case "platlib":
    case "scripts":
    case "data":
      return relative[scheme];
    case "headers":
      return under(relative.headers, item.wheel.name);
    default:
      return undefined;
  }
}

function under(folder: string, path: string): string {
  return folder === "" ? path : `${folder}/${path}`;
}

/** RECORD in full: what pip needs to remove all of it again. */
function recordText(
  { pathBytes }: WheelSource,
  {
    site,
    target: record,
    plain,
    inData,
    moved,
    written,
  }: Pick<Layout, "site" | "plain" | "moved" | "written"> & {
    readonly target: string;
    readonly inData: readonly WheelFile[];
  },
): string {
  const { buffer, byteOffset, length } = pathBytes;
  // One look at all names, of which there are thousands.
  const isPlain = !needsQuotes(Buffer.from(buffer, byteOffset, length).toString("latin1"));
  let text = "";
  for (let i = 0; i < plain.length; i++) {
    const { path, sha256, size } = plain[i] as WheelFile;
    text += isPlain
      ? `${path},sha256=${sha256},${size}\n`
      : formatRecordEntry(path, `sha256=${sha256}`, size);
  }
  const sizes = new Map(inData.map(({ path, size }) => [path, size]));
  for (const { source, target, sha256 } of moved) {
    text += formatRecordEntry(fromSite(site, target), `sha256=${sha256}`, sizes.get(source));
  }
  for (const { target, content } of written) {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    text += formatRecordEntry(fromSite(site, target), hashOf(bytes), bytes.length);
  }
  return text + formatRecordEntry(fromSite(site, record), "", undefined);
}

/** RECORD's hash of some content. */
export function hashOf(bytes: Uint8Array): string {
  return `sha256=${new Bun.CryptoHasher("sha256").update(bytes).digest("base64url")}`;
}

/** A path below the root as RECORD has it: relative to the folder of the dist-info folder. */
function fromSite(site: string, target: string): string {
  if (target.startsWith(`${site}/`)) return target.slice(site.length + 1);
  return `${"../".repeat(site.split("/").length)}${target}`;
}

function foldersOf(
  runs: readonly FolderRun[],
  moved: readonly MovedFile[],
  written: readonly WrittenFile[],
): string[] {
  const folders = new Set<string>();
  const add = (folder: string): void => {
    if (folder === "" || folders.has(folder)) return;
    add(folder.slice(0, Math.max(0, folder.lastIndexOf("/"))));
    folders.add(folder);
  };
  for (const { folder, start, end } of runs) if (start < end) add(folder);
  for (const { target } of [...moved, ...written]) {
    add(target.slice(0, Math.max(0, target.lastIndexOf("/"))));
  }
  return [...folders];
}
