/** One source on its way to metadata and a wheel; each step is taken once, if at all. */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { PepError } from "../pep/error.ts";
import type { PackageName } from "../pep/name.ts";
import type { TagSet } from "../pep/tag.ts";
import type { Version } from "../pep/version.ts";
import { compareVersions } from "../pep/version.ts";
import { parseWheelName, type WheelName } from "../pep/wheel-name.ts";
import { type ProjectRequirement, readNamedRequirement } from "../project/requirement-line.ts";
import { Backend, type BackendPlace, buildFault, type WheelKind } from "./backend.ts";
import type { BuildEnvironments, Waiter } from "./build-environments.ts";
import { BuildLog } from "./build-log.ts";
import { readSourceSystem, type SourceSystem } from "./build-system.ts";
import { type BuiltWheel, type BuiltWheels, digestOfFile } from "./built-wheels.ts";
import type { ConfigSettings } from "./config-settings.ts";
import type { Slots } from "./slots.ts";
import { staticMetadata } from "./static-metadata.ts";

/** A source. */
export interface Source {
  /** For messages. */
  readonly label: string;
  /** The same source has the same in every build of this run. */
  readonly waitKey: string;
  /** What a wheel of it depends on, besides the interpreter; undefined: it is never kept. */
  readonly cacheKey: string | undefined;
  readonly kind: WheelKind;
  /** Fetches or unpacks it. */
  readonly open: () => Promise<OpenSource>;
}

/** A source that is there. */
export interface OpenSource {
  readonly folder: string;
  /** Removes what was made for this build alone. */
  readonly close: () => void;
}

/** What all builds share. */
export interface BuildTools {
  readonly environments: BuildEnvironments;
  readonly wheels: BuiltWheels;
  readonly slots: Slots;
  readonly settings: ConfigSettings;
  /** What a wheel must fit. */
  readonly tags: TagSet;
  /** What wheels depend on besides their source. */
  readonly interpreterKey: string;
  readonly makeFolder: (name: string) => string;
  readonly logFolder: string;
  readonly onLine: ((label: string, line: string) => void) | undefined;
  readonly onBuild: (label: string) => void;
}

/** What a wheel has to be. */
export interface ExpectedWheel {
  readonly name: PackageName;
  readonly version?: Version;
}

interface Opened extends OpenSource {
  readonly system: SourceSystem;
}

/** A backend with the environment that its hooks run in. */
interface Started {
  readonly backend: Backend;
  readonly place: BackendPlace;
}

/** @see {@link Source} */
export class SourceBuild {
  readonly source: Source;
  readonly #tools: BuildTools;
  readonly #log: BuildLog;
  #opened: Promise<Opened> | undefined;
  #started: Promise<Started> | undefined;
  /** The folder of metadata that was made ahead of the wheel. */
  #prepared: Promise<string | undefined> | undefined;
  #metadata: Promise<string> | undefined;
  #wheel: Promise<BuiltWheel> | undefined;

  constructor(source: Source, tools: BuildTools) {
    this.source = source;
    this.#tools = tools;
    const name = source.label.replace(/[^\w.-]+/g, "-").slice(-80);
    const random = crypto.randomUUID().slice(0, 8);
    const { onLine } = tools;
    this.#log = new BuildLog(
      join(tools.logFolder, `${name}-${random}.log`),
      onLine === undefined ? undefined : (line) => onLine(source.label, line),
    );
  }

  /**
   * The text of METADATA: of a wheel that was built before, as the source says it itself, or from
   * its backend.
   *
   * @throws {Fault} E_BUILD, E_CONFIG, E_INTEGRITY, E_UNSATISFIABLE
   */
  metadata(): Promise<string> {
    this.#metadata ??= this.#logged(() => this.#findMetadata());
    return this.#metadata;
  }

  /** @throws {Fault} as {@link metadata} */
  async wheel(expected: ExpectedWheel): Promise<BuiltWheel> {
    this.#wheel ??= this.#logged(() => this.#findWheel(expected));
    const wheel = await this.#wheel;
    this.#check(wheel.path, expected);
    return wheel;
  }

  async #findMetadata(): Promise<string> {
    if (this.#wheel !== undefined) return readMetadata((await this.#wheel).path);
    const kept = this.#kept();
    if (kept !== undefined) return readMetadata(kept.path);
    const { system } = await this.#open();
    const { project } = system.pyproject ?? {};
    const known = project === undefined ? undefined : staticMetadata(project);
    if (known !== undefined) return known;
    const { backend, place } = await this.#start();
    // The wheel was asked for meanwhile: its build removes the source when it is done.
    const wheel = this.#wheelInProgress();
    if (wheel !== undefined) return readMetadata((await wheel).path);
    this.#prepared ??= backend.prepareMetadata(place);
    const metadata = await this.#prepared;
    if (metadata !== undefined) return this.#textIn(metadata);
    this.#wheel ??= this.#findWheel();
    return readMetadata((await this.#wheel).path);
  }

  /** A method, since what was undefined before an await need not be so after it. */
  #wheelInProgress(): Promise<BuiltWheel> | undefined {
    return this.#wheel;
  }

  #textIn(metadata: string): string {
    try {
      return readFileSync(join(metadata, "METADATA"), "utf8");
    } catch {
      throw this.#fault("its backend has prepared no METADATA");
    }
  }

  /** @param expected undefined: whatever it may be, as only the wheel can tell it */
  async #findWheel(expected?: ExpectedWheel): Promise<BuiltWheel> {
    const kept = this.#kept();
    if (kept !== undefined) return kept;
    const { label, cacheKey } = this.source;
    this.#tools.onBuild(label);
    const { backend, place } = await this.#start();
    const path = await backend.build(place, await this.#prepared);
    this.#check(path, expected);
    const key = this.#key();
    if (cacheKey === undefined || key === undefined) {
      return { path, sha256: await digestOfFile(path) };
    }
    const wheel = await this.#tools.wheels.keep(key, path);
    // Nobody will ask for more of it; a hundred sources of a large project fill a disk.
    (await this.#open()).close();
    return wheel;
  }

  #kept(): BuiltWheel | undefined {
    const key = this.#key();
    return key === undefined ? undefined : this.#tools.wheels.find(key);
  }

  #key(): string | undefined {
    const { cacheKey, kind } = this.source;
    if (cacheKey === undefined) return undefined;
    const { interpreterKey, settings } = this.#tools;
    return JSON.stringify([cacheKey, kind, interpreterKey, settings]);
  }

  #open(): Promise<Opened> {
    this.#opened ??= this.source.open().then(async ({ folder, close }) => {
      return { folder, close, system: await readSourceSystem(folder, this.source.label) };
    });
    return this.#opened;
  }

  #start(): Promise<Started> {
    this.#started ??= this.#startBackend();
    return this.#started;
  }

  async #startBackend(): Promise<Started> {
    const { folder, system } = await this.#open();
    const { environments, settings, slots, makeFolder } = this.#tools;
    const { label, kind, waitKey } = this.source;
    const log = this.#log;
    const options = { label, folder, system, kind, settings, log, makeFolder, slots };
    const backend = new Backend(options);
    const waiter: Waiter = { key: waitKey, label };
    const first = await environments.with(system.requires, waiter);
    const more = await backend.requires(first);
    const place =
      more.length === 0
        ? first
        : await environments.with([...system.requires, ...this.#read(more, system)], waiter);
    return { backend, place };
  }

  #read(texts: readonly string[], system: SourceSystem): ProjectRequirement[] {
    const origin = `what "${system.backend}" needs to build ${this.source.label}`;
    return texts.map((text) => readNamedRequirement(text, { origin, base: "/" }));
  }

  /** What was built must be what was meant, and be of use here. */
  #check(path: string, expected: ExpectedWheel | undefined): void {
    const found = this.#nameOf(path);
    const { name, version } = expected ?? found;
    const isMeant =
      found.name === name &&
      (version === undefined || compareVersions(found.version, version) === 0);
    if (!isMeant) {
      const wanted = version === undefined ? name : `${name}==${version}`;
      throw this.#fault(`its build has made ${found.name}==${found.version}, wanted was ${wanted}`);
    }
    if (this.#tools.tags.priority(found.tags) === undefined) {
      throw this.#fault(`its build has made "${basename(path)}", which does not fit this Python`);
    }
  }

  #nameOf(path: string): WheelName {
    try {
      return parseWheelName(basename(path));
    } catch (error) {
      if (!(error instanceof PepError)) throw error;
      throw this.#fault(`its build has made "${basename(path)}": ${error.message}`);
    }
  }

  #fault(reason: string): Fault {
    return buildFault(this.source.label, reason, this.#log);
  }

  /** The log stays where a fault leads to it. */
  async #logged<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.#log.close({ remove: true });
      return result;
    } catch (error) {
      const isTold = error instanceof Fault && error.details["log"] === this.#log.path;
      this.#log.close({ remove: !isTold });
      throw error;
    }
  }
}

async function readMetadata(wheelPath: string): Promise<string> {
  const { readWheelMetadata } = await import("../wheel/member.ts");
  return readWheelMetadata(wheelPath);
}
