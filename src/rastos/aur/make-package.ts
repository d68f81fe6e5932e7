import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { escapeControls, sanitise } from "../../kit/fault/redact.ts";
import { OutputLog } from "../../kit/proc/output-log.ts";
import { runStreamed } from "../../kit/proc/run-streamed.ts";
import type { BuildUser } from "./build-user.ts";
import { SEARCH_PATH } from "./build-user.ts";
import { captured } from "./captured.ts";
import { SANDBOX_HOME, type SandboxMount, sandboxCommand } from "./sandbox.ts";
import type { ChosenBase } from "./select.ts";

/** What is built, where. */
export interface MakeOptions {
  readonly chosen: ChosenBase;
  /** The system to build in, with everything installed that the base needs. */
  readonly root: string;
  readonly user: BuildUser;
  /** For this build alone; there, and nobody else's. */
  readonly work: string;
  /** What was downloaded for this base; kept for later. */
  readonly sources: string;
  /** Where the packages go when all are whole; not there yet. */
  readonly target: string;
  readonly log: string;
  readonly jobs: number;
  readonly hasChecks: boolean;
  /** Signatures of sources are looked at; their keys have to be known. */
  readonly checksSignatures: boolean;
  /** For proxies and certificates only. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onLine: (line: string) => void;
  readonly onPhase: (phase: "fetch" | "build") => void;
}

const PACKAGE_FILE = /^[A-Za-z0-9@_+][A-Za-z0-9@._+:~-]*\.pkg\.tar(\.\w+)?$/;
const EXCERPT_LINES = 15;
const PASSED_ON = /^((https?|no|all|ftp)_proxy|SSL_CERT_(FILE|DIR))$/i;

/**
 * Builds a base by makepkg: its sources are fetched in a sandbox with network, where its files
 * cannot be changed; then it is built in one without. Packages that it does not own up to in its
 * .SRCINFO are refused.
 *
 * @throws {Fault} E_BUILD, E_INTERRUPTED
 */
export async function makePackages(options: MakeOptions): Promise<void> {
  const { chosen, user, work, sources } = options;
  const folder = (name: string): string => {
    const path = join(work, name);
    mkdirSync(path, { recursive: true });
    chownSync(path, user.uid, user.gid);
    return path;
  };
  mkdirSync(sources, { recursive: true });
  chownSync(sources, user.uid, user.gid);
  const files = folder("files");
  await chosen.mirror.export(chosen.commit, files);
  const [build, output] = [folder("build"), folder("output")];
  const last: string[] = [];
  using log = new OutputLog(options.log, (line) => {
    last.push(escapeControls(Bun.stripANSI(line).slice(0, 500)));
    if (last.length > EXCERPT_LINES) last.shift();
    options.onLine(line);
  });
  const run = new MakepkgRun(options, log, last);
  const shared = { from: sources, to: "/sources", isWritable: true };
  if (chosen.info.sources.some((source) => source.includes("://"))) {
    options.onPhase("fetch");
    await run.makepkg(true, [{ from: files, to: "/files" }, shared], ["--verifysource"]);
  }
  options.onPhase("build");
  const mounts = [
    { from: files, to: "/files", isWritable: true },
    shared,
    { from: build, to: "/build", isWritable: true },
    { from: output, to: "/output", isWritable: true },
  ];
  const check = options.hasChecks ? "--check" : "--nocheck";
  // Sources under version control stay as they were fetched: there is no network to fetch more.
  await run.makepkg(false, mounts, ["--holdver", "--force", check]);
  await run.collect(output);
}

class MakepkgRun {
  readonly #options: MakeOptions;
  readonly #log: OutputLog;
  readonly #last: string[];

  constructor(options: MakeOptions, log: OutputLog, last: string[]) {
    this.#options = options;
    this.#log = log;
    this.#last = last;
  }

  async makepkg(
    hasNetwork: boolean,
    mounts: readonly SandboxMount[],
    flags: readonly string[],
  ): Promise<void> {
    const { checksSignatures } = this.#options;
    const skip = checksSignatures ? [] : ["--skippgpcheck"];
    const command = ["makepkg", "--noconfirm", "--nocolor", ...flags, ...skip];
    this.#log.say(`${hasNetwork ? "with" : "without"} network: ${command.join(" ")}`);
    const { exitCode, signal } = await runStreamed({
      command: this.#sandbox(hasNetwork, mounts, "/files", command),
      folder: "/",
      environment: { PATH: SEARCH_PATH },
      onOutput: this.#log.write,
    });
    if (exitCode !== 0) throw this.#failure(hasNetwork, exitCode ?? signal);
  }

  #sandbox(
    hasNetwork: boolean,
    mounts: readonly SandboxMount[],
    folder: string,
    command: readonly string[],
  ): readonly string[] {
    const { root, user, jobs, environment } = this.#options;
    const variables: Record<string, string> = {
      PATH: SEARCH_PATH,
      HOME: SANDBOX_HOME,
      LC_ALL: "C.UTF-8",
      TERM: "dumb",
      SRCDEST: "/sources",
      BUILDDIR: hasNetwork ? "/tmp" : "/build",
      PKGDEST: hasNetwork ? "/tmp" : "/output",
      LOGDEST: "/tmp",
      SRCPKGDEST: "/tmp",
      PKGEXT: ".pkg.tar.zst",
      MAKEFLAGS: `-j${jobs}`,
    };
    for (const [name, value] of Object.entries(environment)) {
      if (hasNetwork && value !== undefined && PASSED_ON.test(name)) variables[name] = value;
    }
    return sandboxCommand({
      root,
      user,
      hasNetwork,
      mounts,
      folder,
      environment: variables,
      command,
    });
  }

  /** Takes over what was built, once each of the files is what it says. */
  async collect(output: string): Promise<void> {
    const { chosen, target } = this.#options;
    const { base, packages } = chosen.info;
    const known = new Set([...packages.map(({ name }) => name), `${base}-debug`]);
    const fresh = `${target}.new`;
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { recursive: true });
    const built: Record<string, string> = {};
    for (const file of readdirSync(output).sort()) {
      const path = join(output, file);
      // Whatever else it has left there is nobody's business; a link could lead anywhere.
      if (!PACKAGE_FILE.test(file) || !lstatSync(path).isFile()) continue;
      const name = await this.#nameIn(output, file);
      if (name === undefined || !known.has(name)) {
        throw new Fault({
          code: "E_BUILD",
          message: `Cannot take "${file}" from "${base}": it is the package "${name ?? ""}"`,
          hint: "its .SRCINFO does not name it; tell its maintainer",
        });
      }
      copyFileSync(path, join(fresh, file));
      chmodSync(join(fresh, file), 0o644);
      built[name] = file;
    }
    writeFileSync(join(fresh, PACKAGES_FILE), JSON.stringify(built));
    rmSync(target, { recursive: true, force: true });
    renameSync(fresh, target);
  }

  /** `pkgname` of a package file, read where it can do no harm. */
  async #nameIn(output: string, file: string): Promise<string | undefined> {
    const command = ["bsdtar", "-xOqf", `/output/${file}`, ".PKGINFO"];
    const mounts = [{ from: output, to: "/output" }];
    const { exitCode, stdout } = await captured(this.#sandbox(false, mounts, "/output", command), {
      PATH: SEARCH_PATH,
    });
    if (exitCode !== 0) return undefined;
    return /^pkgname = (\S+)$/m.exec(stdout.toString("utf8"))?.[1];
  }

  #failure(hasNetwork: boolean, ended: number | string | undefined): Fault {
    const { chosen, log } = this.#options;
    const error = this.#last.findLast((line) => line.startsWith("==> ERROR: "));
    const reason = error?.slice("==> ERROR: ".length) ?? `makepkg ended with ${ended}`;
    const needsNetwork = /resolve host|name resolution|network is unreachable/i;
    const isOffline = !hasNetwork && this.#last.some((line) => needsNetwork.test(line));
    const what = hasNetwork ? "fetch the sources of" : "build";
    return new Fault({
      code: "E_BUILD",
      message: `Cannot ${what} "${chosen.info.base}": ${sanitise(reason)}`,
      excerpt: [...this.#last],
      hint: isOffline
        ? "a build has no network: what it needs has to stand in the source=() of its PKGBUILD"
        : `all that was printed is in "${log}"`,
      details: { log },
    });
  }
}

const PACKAGES_FILE = "packages.json";

/** The packages in a folder that {@link makePackages} has made, by name; undefined: none there. */
export async function builtPackages(
  target: string,
): Promise<ReadonlyMap<string, string> | undefined> {
  const list = join(target, PACKAGES_FILE);
  if (!existsSync(list)) return undefined;
  const files = Object.entries((await Bun.file(list).json()) as Record<string, string>);
  return new Map(files.map(([name, file]) => [name, join(target, file)]));
}
