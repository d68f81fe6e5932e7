import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { OutputLog } from "../../kit/proc/output-log.ts";
import { runStreamed } from "../../kit/proc/run-streamed.ts";
import { writeFileAtomic } from "../../kit/store/atomic.ts";
import { CompileWatch } from "./compile-watch.ts";
import { formatConfig, parseConfig } from "./config-file.ts";
import { estimateFiles } from "./estimate.ts";
import { readKconfig } from "./kconfig.ts";
import { type MakeOptions, makeCall, requireTools, sourceDateSeconds } from "./make.ts";
import { type ConfigLayer, type MergedConfig, mergeConfigs, type Override } from "./merge.ts";
import { claimOutput, type OutputPaths, outputPaths } from "./output-folder.ts";
import { packKernel } from "./package.ts";
import { kernelPackageName } from "./package-name.ts";
import type { KernelProfile } from "./profiles.ts";
import { type KernelSource, openSource } from "./source.ts";
import { type ConfigValues, type LostSetting, verifySettings } from "./verify.ts";

/** What kernel to build, and how. */
export interface KernelBuildRequest {
  readonly source: string;
  readonly output: string;
  readonly jobs: number;
  /** Undefined: the base and the own configuration alone. */
  readonly profile: KernelProfile | undefined;
  /** `defconfig`, `tinyconfig`, another configuration target, or undefined for the profile's. */
  readonly base: string | undefined;
  /** The own configuration, laid over the profile. */
  readonly configFile: string | undefined;
  /** Path of ccache, if it is to be used. */
  readonly ccache: string | undefined;
  /** A setting that is lost ends the build. */
  readonly isStrict: boolean;
  /** Makes a package for pacman, too. */
  readonly isPackaged: boolean;
  /** Ends after the configuration. */
  readonly isConfigOnly: boolean;
  readonly isVerbose: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What happens meanwhile. */
export type KernelEvent =
  | { readonly kind: "override"; readonly override: Override }
  | { readonly kind: "lost"; readonly lost: LostSetting }
  | { readonly kind: "phase"; readonly text: string }
  | { readonly kind: "line"; readonly text: string }
  | {
      readonly kind: "compiled";
      readonly done: number;
      /** At least so many; grows when it turns out to be too small. */
      readonly total: number;
      readonly current: string | undefined;
    };

/** What has come of it. */
export interface KernelBuildResult {
  readonly version: string;
  readonly overrides: readonly Override[];
  readonly lost: readonly LostSetting[];
  readonly wantedCount: number;
  readonly config: string;
  readonly log: string;
  /** Undefined after a configuration alone. */
  readonly image: string | undefined;
  readonly installFolder: string | undefined;
  readonly packageFile: string | undefined;
  readonly compiled: number;
}

/** What would be done, for `--dry-run`; nothing is written. */
export interface KernelBuildPlan {
  readonly version: string;
  readonly base: string;
  readonly layers: readonly ConfigLayer[];
  /** What the profile and the own configuration say of the same symbol. */
  readonly overrides: readonly Override[];
  readonly paths: OutputPaths;
  readonly jobs: number;
  readonly commands: readonly (readonly string[])[];
}

/**
 * What a build would do.
 *
 * @throws {Fault} E_NOT_FOUND, E_REFUSED for the source; E_CONFIG for a configuration
 */
export async function planKernelBuild(request: KernelBuildRequest): Promise<KernelBuildPlan> {
  const source = openSource(resolve(request.source));
  const paths = outputPaths(request.output);
  const layers = await wantedLayers(request, source);
  const options = makeOptions(request, source, paths);
  const base = baseOf(request);
  const goals = request.isConfigOnly
    ? [[base], ["olddefconfig"]]
    : [[base], ["olddefconfig"], ["all"], ["modules_install"]];
  return {
    version: source.versionText,
    base,
    layers,
    overrides: mergeConfigs([{ name: base, lines: [] }, ...layers]).overrides,
    paths,
    jobs: request.jobs,
    commands: goals.map((targets) => makeCall(options, targets).command),
  };
}

/**
 * Configures a kernel, builds it outside of its sources, and installs it into a folder.
 *
 * @throws {Fault} E_NOT_FOUND, E_REFUSED, E_LOCKED for folders and tools; E_CONFIG for a
 *   configuration, and with `isStrict` for settings that were lost; E_BUILD with the first error
 *   of the compiler; E_INTERRUPTED
 */
export async function buildKernel(
  request: KernelBuildRequest,
  onEvent: (event: KernelEvent) => void,
): Promise<KernelBuildResult> {
  const source = openSource(resolve(request.source));
  const layers = await wantedLayers(request, source);
  requireTools(request.environment);
  const paths = claimOutput(request.output, "rastos kernel build");
  using _lock = paths.lock;
  const build = new Build(request, source, paths, onEvent);
  return await build.run(layers);
}

function baseOf(request: KernelBuildRequest): string {
  return request.base ?? request.profile?.base ?? "defconfig";
}

async function wantedLayers(
  request: KernelBuildRequest,
  source: KernelSource,
): Promise<ConfigLayer[]> {
  const layers: ConfigLayer[] = [];
  if (request.profile !== undefined) {
    const name = `profile ${request.profile.name}`;
    layers.push({ name, lines: parseConfig(name, await request.profile.load(), source) });
  }
  if (request.configFile !== undefined) {
    const name = request.configFile;
    layers.push({ name, lines: parseConfig(name, readConfigFile(name), source) });
  }
  return layers;
}

function readConfigFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Fault({
      code: (error as NodeJS.ErrnoException).code === "ENOENT" ? "E_NOT_FOUND" : "E_IO",
      message: `Cannot read the configuration "${path}": ${reasonOf(error)}`,
    });
  }
}

function makeOptions(
  request: KernelBuildRequest,
  source: KernelSource,
  paths: OutputPaths,
): MakeOptions {
  const { jobs, ccache, isVerbose, environment } = request;
  return { source, build: paths.build, jobs, ccache, isVerbose, environment };
}

class Build {
  readonly #request: KernelBuildRequest;
  readonly #source: KernelSource;
  readonly #paths: OutputPaths;
  readonly #make: MakeOptions;
  readonly #onEvent: (event: KernelEvent) => void;
  #watch = new CompileWatch();
  #total = 0;

  constructor(
    request: KernelBuildRequest,
    source: KernelSource,
    paths: OutputPaths,
    onEvent: (event: KernelEvent) => void,
  ) {
    this.#request = request;
    this.#source = source;
    this.#paths = paths;
    this.#make = makeOptions(request, source, paths);
    this.#onEvent = onEvent;
  }

  async run(layers: readonly ConfigLayer[]): Promise<KernelBuildResult> {
    using log = new OutputLog(this.#paths.log, (line) => this.#line(line));
    const { merged, values } = await this.#configure(log, layers);
    const lost = this.#verify(merged, values);
    const result = {
      version: this.#source.versionText,
      overrides: merged.overrides,
      lost,
      wantedCount: merged.wanted.length,
      config: this.#paths.config,
      log: this.#paths.log,
    };
    if (this.#request.isConfigOnly) {
      const none = { image: undefined, installFolder: undefined, packageFile: undefined };
      return { ...result, ...none, compiled: 0 };
    }
    this.#total = estimateFiles(this.#source.folder, this.#source.sourceArchitecture, values);
    this.#phase(`Compiling Linux ${this.#source.versionText}`);
    await this.#runMake(log, ["all"], "build the kernel");
    const { compiled } = this.#watch;
    const installed = await this.#install(log, values);
    return { ...result, ...installed, compiled };
  }

  async #configure(
    log: OutputLog,
    layers: readonly ConfigLayer[],
  ): Promise<{ merged: MergedConfig; values: ConfigValues }> {
    const base = baseOf(this.#request);
    this.#phase(`Configuring Linux ${this.#source.versionText} from ${base}`);
    const kept = readIfThere(this.#paths.config);
    await this.#runMake(log, [base], "make the configuration");
    const lines = parseConfig(base, readFileSync(this.#paths.config, "utf8"));
    const merged = mergeConfigs([{ name: base, lines }, ...layers]);
    for (const override of merged.overrides) this.#onEvent({ kind: "override", override });
    writeFileAtomic({ path: this.#paths.config, content: formatConfig(merged.settings) });
    await this.#runMake(log, ["olddefconfig"], "complete the configuration");
    const final = readFileSync(this.#paths.config, "utf8");
    // make compares times: a configuration that is as it was must not rebuild everything.
    if (kept?.text === final) kept.restore();
    else kept?.discard();
    const values = parseConfig(this.#paths.config, final).map(
      ({ symbol, value }) => [symbol, value] as const,
    );
    return { merged, values: new Map(values) };
  }

  #verify(merged: MergedConfig, values: ConfigValues): LostSetting[] {
    const { folder, sourceArchitecture } = this.#source;
    const lost = verifySettings(merged.wanted, values, () =>
      readKconfig(folder, sourceArchitecture),
    );
    for (const setting of lost) this.#onEvent({ kind: "lost", lost: setting });
    const [first] = lost;
    if (first === undefined || !this.#request.isStrict) return lost;
    const others = lost.length > 1 ? ` and ${lost.length - 1} more` : "";
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot keep CONFIG_${first.symbol}=${first.wanted}${others}: ${first.reason}`,
      hint: "correct the configuration, or build without --strict",
      details: { lost },
    });
  }

  /** Into a new folder that takes the place of the old one when it is complete. */
  async #install(
    log: OutputLog,
    values: ConfigValues,
  ): Promise<Pick<KernelBuildResult, "image" | "installFolder" | "packageFile">> {
    this.#phase("Installing");
    const release = readFileSync(
      join(this.#paths.build, "include/config/kernel.release"),
      "utf8",
    ).trim();
    const fresh = `${this.#paths.install}.new`;
    rmSync(fresh, { recursive: true, force: true });
    // As Arch has it: everything of a kernel in one folder, which a package owns.
    const modules = join("usr/lib/modules", release);
    mkdirSync(join(fresh, modules), { recursive: true });
    if (values.get("MODULES") === "y") {
      const where = `INSTALL_MOD_PATH=${join(fresh, "usr")}`;
      const strip = this.#request.profile?.name === "development" ? [] : ["INSTALL_MOD_STRIP=1"];
      await this.#runMake(log, [where, ...strip, "modules_install"], "install the modules");
      for (const link of ["build", "source"]) rmSync(join(fresh, modules, link), { force: true });
    } else {
      // What `modules_install` leaves of a kernel that has none: what is built in, and no others.
      for (const list of ["modules.builtin", "modules.builtin.modinfo"]) {
        copyFileSync(join(this.#paths.build, list), join(fresh, modules, list));
      }
      writeFileSync(join(fresh, modules, "modules.dep"), "");
    }
    const image = await this.#imageName();
    const copies = { [image]: "vmlinuz", "System.map": "System.map", ".config": "config" };
    for (const [from, to] of Object.entries(copies)) {
      copyFileSync(join(this.#paths.build, from), join(fresh, modules, to));
    }
    const name = kernelPackageName(this.#request.profile?.name);
    // mkinitcpio names what it makes after it.
    writeFileSync(join(fresh, modules, "pkgbase"), `${name}\n`);
    rmSync(this.#paths.install, { recursive: true, force: true });
    renameSync(fresh, this.#paths.install);
    const installFolder = this.#paths.install;
    return {
      image: join(installFolder, modules, "vmlinuz"),
      installFolder,
      packageFile: this.#request.isPackaged ? this.#pack(name, release) : undefined,
    };
  }

  #pack(name: string, release: string): string {
    this.#phase("Packing");
    return packKernel({
      installFolder: this.#paths.install,
      folder: this.#paths.folder,
      name,
      release,
      dateSeconds: sourceDateSeconds(this.#source, this.#request.environment),
    });
  }

  /** `arch/x86/boot/bzImage`, by the kernel's own word. */
  async #imageName(): Promise<string> {
    let output = "";
    const call = makeCall({ ...this.#make, isVerbose: false }, ["-s", "image_name"]);
    await runStreamed({
      ...call,
      folder: this.#paths.build,
      onOutput: (bytes) => {
        output += new TextDecoder().decode(bytes);
      },
    });
    const name = output.trim().split("\n").at(-1) ?? "";
    if (existsSync(join(this.#paths.build, name)) && name !== "") return name;
    throw new Fault({
      code: "E_BUILD",
      message: `Cannot find the kernel's image: make names "${name}"`,
      hint: `all that was printed is in "${this.#paths.log}"`,
    });
  }

  async #runMake(log: OutputLog, targets: readonly string[], what: string): Promise<void> {
    const call = makeCall(this.#make, targets);
    log.say(call.command.join(" "));
    this.#watch = new CompileWatch();
    const { exitCode } = await runStreamed({
      ...call,
      folder: this.#paths.build,
      onOutput: log.write,
    });
    if (exitCode !== 0) throw this.#watch.fault(what, this.#paths.log, exitCode);
  }

  #line(text: string): void {
    const before = this.#watch.compiled;
    this.#watch.add(text);
    this.#onEvent({ kind: "line", text });
    const { compiled, current } = this.#watch;
    if (compiled === before) return;
    this.#total = Math.max(this.#total, compiled);
    this.#onEvent({ kind: "compiled", done: compiled, total: this.#total, current });
  }

  #phase(text: string): void {
    this.#onEvent({ kind: "phase", text });
  }
}

/** A file's text, and a way to put its old time back once it holds that text again. */
function readIfThere(
  path: string,
): { readonly text: string; restore(): void; discard(): void } | undefined {
  const backup = `${path}.before`;
  try {
    const text = readFileSync(path, "utf8");
    renameSync(path, backup);
    return {
      text,
      restore: () => renameSync(backup, path),
      discard: () => rmSync(backup, { force: true }),
    };
  } catch {
    return undefined;
  }
}
