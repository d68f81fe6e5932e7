/** Builds metadata and wheels of whatever has sources: sdists, archives, folders, repositories. */
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { redactCredentials } from "../../kit/fault/redact.ts";
import { removeTree } from "../../kit/fs/remove-tree.ts";
import { decodeUri } from "../../kit/text/decode-uri.ts";
import { PepError } from "../pep/error.ts";
import { parseCoreMetadata } from "../pep/metadata.ts";
import { supportedTags } from "../pep/tag.ts";
import type { Interpreter } from "../python/probe.ts";
import type { CoreMetadata, DirectSource, IndexFile } from "../resolve/port.ts";
import type { WantedPackage } from "../sync/wanted.ts";
import { BuildEnvironments, type EnvironmentTools } from "./build-environments.ts";
import { plainVariables } from "./build-variables.ts";
import { BuiltWheels, digestOfFile } from "./built-wheels.ts";
import type { ConfigSettings } from "./config-settings.ts";
import { type GitSource, GitSources } from "./git-sources.ts";
import { Slots } from "./slots.ts";
import { type BuildTools, type OpenSource, type Source, SourceBuild } from "./source-build.ts";
import { WorkFolder } from "./work-folder.ts";

/** How sources are built. */
export interface SourceBuilderOptions {
  readonly interpreter: Interpreter;
  readonly cacheFolder: string;
  /** The user's variables. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly settings: ConfigSettings;
  readonly isIsolated: boolean;
  readonly offline: boolean;
  /** Neither use nor keep what was built. */
  readonly noCache: boolean;
  readonly tools: EnvironmentTools;
  /** Told each line that a build prints. */
  readonly onLine?: ((label: string, line: string) => void) | undefined;
  /** Told when a wheel is built, and not found. */
  readonly onBuild: (label: string) => void;
}

/** The same source has the same key: for who waits for whom. */
export function waitKeyOf(place: IndexFile | DirectSource): string {
  if ("filename" in place) return place.url;
  if (place.kind === "directory") return place.path;
  return `${redactCredentials(place.url)}#${place.subdirectory ?? ""}`;
}

/** @see PEP 517 */
export class SourceBuilder {
  readonly #options: SourceBuilderOptions;
  readonly #git: GitSources;
  readonly #tools: BuildTools;
  readonly #work: WorkFolder;
  readonly #builds = new Map<string, SourceBuild>();

  constructor(options: SourceBuilderOptions) {
    this.#options = options;
    const { cacheFolder, interpreter, isIsolated, noCache, tools, variables } = options;
    const kept = join(cacheFolder, "builds-v1");
    this.#work = WorkFolder.open(kept);
    const builds = noCache ? this.#work.path : kept;
    const mirrors = noCache ? this.#work.path : cacheFolder;
    this.#git = new GitSources({
      folder: join(mirrors, "git-v1"),
      variables,
      offline: options.offline,
    });
    this.#tools = {
      environments: new BuildEnvironments({
        folder: join(builds, "environments"),
        interpreter,
        variables,
        tools,
        isIsolated,
      }),
      wheels: new BuiltWheels(join(builds, "wheels")),
      slots: new Slots(availableParallelism()),
      settings: options.settings,
      tags: supportedTags(interpreter.tags),
      interpreterKey: interpreterKey(interpreter),
      makeFolder: (name) => this.#work.make(name),
      logFolder: join(kept, "logs"),
      onLine: options.onLine,
      onBuild: options.onBuild,
    };
  }

  /**
   * The METADATA of an sdist.
   *
   * @throws {Fault} E_BUILD, E_INTEGRITY, E_UNSATISFIABLE, and whatever the index throws
   */
  async buildMetadata(file: IndexFile, archivePath: string): Promise<string> {
    return (await this.#ofFile(file, archivePath)).metadata();
  }

  /** @throws {Fault} as {@link buildMetadata}; E_NOT_FOUND for a revision that is not there */
  async buildDirect(
    source: DirectSource,
    archivePath: string | undefined,
  ): Promise<{ metadata: CoreMetadata; source: DirectSource }> {
    const { build, exact } = await this.#ofSource(source, archivePath);
    const text = await build.metadata();
    try {
      return { metadata: parseCoreMetadata(text), source: exact };
    } catch (error) {
      if (!(error instanceof PepError)) throw error;
      const { label } = build.source;
      throw new Fault({
        code: "E_BUILD",
        message: `Cannot use the metadata of "${label}": ${error.message}`,
      });
    }
  }

  /** @throws {Fault} as {@link buildDirect} */
  async buildWheel(
    wanted: WantedPackage,
    archivePath: string | undefined,
  ): Promise<{ readonly path: string; readonly sha256: string; readonly commit?: string }> {
    const { file, source } = wanted;
    if (source !== undefined) {
      const { build, exact } = await this.#ofSource(source, archivePath);
      const wheel = await build.wheel(wanted);
      const commit = exact.kind === "git" ? exact.revision : undefined;
      return commit === undefined ? wheel : { ...wheel, commit };
    }
    if (file === undefined || archivePath === undefined) {
      throw new Error(`nothing to build ${wanted.name} of`);
    }
    return (await this.#ofFile(file, archivePath)).wheel(wanted);
  }

  async #ofFile(file: IndexFile, archivePath: string): Promise<SourceBuild> {
    const sha256 = file.hashes["sha256"] ?? (await digestOfFile(archivePath));
    return this.#build({
      label: file.filename,
      waitKey: waitKeyOf(file),
      cacheKey: `sha256:${sha256}`,
      kind: "wheel",
      open: () => this.#unpack(archivePath, file.filename),
    });
  }

  async #ofSource(
    source: DirectSource,
    archivePath: string | undefined,
  ): Promise<{ readonly build: SourceBuild; readonly exact: DirectSource }> {
    switch (source.kind) {
      case "archive":
        return { build: await this.#ofArchive(source, archivePath), exact: source };
      case "directory":
        return { build: this.#ofDirectory(source), exact: source };
      case "git": {
        const commit = await this.#git.commit(source);
        return { build: this.#ofGit(source, commit), exact: { ...source, revision: commit } };
      }
    }
  }

  async #ofArchive(
    source: Extract<DirectSource, { kind: "archive" }>,
    archivePath: string | undefined,
  ): Promise<SourceBuild> {
    if (archivePath === undefined) throw new Error(`no archive of ${source.url}`);
    const { subdirectory = "" } = source;
    const filename = decodeUri(basename(new URL(source.url).pathname));
    return this.#build({
      label: redactCredentials(source.url),
      waitKey: waitKeyOf(source),
      cacheKey: `sha256:${await digestOfFile(archivePath)}#${subdirectory}`,
      kind: "wheel",
      open: async () => {
        const { folder, close } = await this.#unpack(archivePath, filename);
        return { folder: join(folder, subdirectory), close };
      },
    });
  }

  /** In place, as the folder is at this moment: nothing of it is kept. */
  #ofDirectory(source: Extract<DirectSource, { kind: "directory" }>): SourceBuild {
    const { path, editable } = source;
    return this.#build({
      label: path,
      waitKey: waitKeyOf(source),
      cacheKey: undefined,
      kind: editable ? "editable" : "wheel",
      open: async () => ({ folder: path, close: () => undefined }),
    });
  }

  #ofGit(source: GitSource, commit: string): SourceBuild {
    const { subdirectory = "" } = source;
    const url = redactCredentials(source.url);
    return this.#build({
      label: `${url}@${commit.slice(0, 12)}${subdirectory === "" ? "" : `#${subdirectory}`}`,
      waitKey: waitKeyOf(source),
      cacheKey: `git:${url}@${commit}#${subdirectory}`,
      kind: "wheel",
      open: async () => {
        // Its name is in the version numbers of some: it is the repository's.
        const name = basename(URL.parse(url)?.pathname ?? "", ".git") || "source";
        const root = this.#work.make("git");
        await this.#git.checkOut(source, commit, join(root, name));
        return { folder: join(root, name, subdirectory), close: () => removeTree(root) };
      },
    });
  }

  /** One for each source, however often it is asked for. */
  #build(source: Source): SourceBuild {
    const key = JSON.stringify([source.cacheKey ?? source.waitKey, source.kind]);
    let build = this.#builds.get(key);
    if (build === undefined) {
      build = new SourceBuild(source, this.#tools);
      this.#builds.set(key, build);
    }
    return build;
  }

  async #unpack(path: string, filename: string): Promise<OpenSource> {
    const { unpackSource } = await import("./unpack-source.ts");
    const root = this.#work.make("source");
    const folder = await unpackSource({ path, filename }, root, {
      python: this.#options.interpreter.path,
      environment: plainVariables(this.#options.variables),
    });
    return { folder, close: () => removeTree(root) };
  }
}

/** What a compiled wheel depends on. */
function interpreterKey(interpreter: Interpreter): string {
  const { implementation, version, tags, pointerBits, isFreeThreaded, isDebug } = interpreter;
  return JSON.stringify([implementation, version, tags, pointerBits, isFreeThreaded, isDebug]);
}
