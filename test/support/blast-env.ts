import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { WheelFile, WheelSource } from "../../src/blast/env/install-item.ts";
import { parsePackageName } from "../../src/blast/pep/name.ts";
import { parseVersion } from "../../src/blast/pep/version.ts";
import type { Workspace } from "./workspace.ts";

/** What a wheel is made of, for {@link createWheel}. */
export interface WheelParts {
  readonly name: string;
  readonly version?: string;
  /** By path in the wheel; paths that end in "*" get permission to execute, without the star. */
  readonly files: Readonly<Record<string, string>>;
  readonly metadata?: string;
  readonly entryPoints?: string;
  readonly purelib?: boolean;
}

/** An unpacked wheel as the store would hold it, in `folder`. */
export function createWheel(folder: string, parts: WheelParts): WheelSource {
  const { name, version = "1.0", purelib = true } = parts;
  const stem = `${name.replaceAll("-", "_")}-${version}`;
  const distInfo = `${stem}.dist-info`;
  const head = `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`;
  const metadata = head + (parts.metadata ?? "");
  const all: Record<string, string> = {
    ...parts.files,
    [`${distInfo}/METADATA`]: metadata,
    [`${distInfo}/WHEEL`]: `Wheel-Version: 1.0\nRoot-Is-Purelib: ${purelib}\nTag: py3-none-any\n`,
    ...(parts.entryPoints === undefined
      ? {}
      : { [`${distInfo}/entry_points.txt`]: parts.entryPoints }),
  };
  const files: WheelFile[] = [];
  for (const [key, content] of Object.entries(all)) {
    const executable = key.endsWith("*");
    const path = executable ? key.slice(0, -1) : key;
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
    if (executable) chmodSync(target, 0o755);
    files.push({ path, size: Buffer.byteLength(content), sha256: digest(content), executable });
  }
  const record = files.map((f) => `${f.path},sha256=${f.sha256},${f.size}\n`).join("");
  writeFileSync(join(folder, distInfo, "RECORD"), `${record}${distInfo}/RECORD,,\n`);
  const description = JSON.stringify({ name, version, purelib, files });
  writeFileSync(`${folder}.json`, description);
  return readWheel(folder);
}

/** The wheel that {@link createWheel} has put into a folder, for other processes. */
export function readWheel(folder: string): WheelSource {
  const { name, version, purelib, files } = JSON.parse(readFileSync(`${folder}.json`, "utf8")) as {
    readonly name: string;
    readonly version: string;
    readonly purelib: boolean;
    readonly files: readonly WheelFile[];
  };
  const stem = `${name.replaceAll("-", "_")}-${version}`;
  const dataFolder = `${stem}.data`;
  const hasData = files.some(({ path }) => path.startsWith(`${dataFolder}/`));
  return {
    sha256: new Bun.CryptoHasher("sha256").update(JSON.stringify(files)).digest("hex"),
    folder,
    name: parsePackageName(name),
    version: parseVersion(version),
    distInfo: `${stem}.dist-info`,
    ...(hasData ? { dataFolder } : {}),
    rootIsPurelib: purelib,
    files,
    pathBytes: Buffer.from(files.map(({ path }) => `${path}\0`).join("")),
  };
}

function digest(content: string): string {
  return new Bun.CryptoHasher("sha256").update(content).digest("base64url");
}

/** A virtual environment as far as installing needs one; its python is no interpreter. */
export function createBareVenv(work: Workspace, name = "venv"): string {
  work.write(`${name}/pyvenv.cfg`, "home = /usr/bin\nversion = 3.11.7\n");
  work.write(`${name}/bin/python`, "#!/bin/sh\n", { mode: 0o755 });
  work.folder(`${name}/lib/python3.11/site-packages`);
  return work.at(name);
}

/** A real virtual environment, without pip. */
export function createRealVenv(folder: string): string {
  const result = Bun.spawnSync([basePython(), "-m", "venv", "--without-pip", folder]);
  if (!result.success) throw new Error(result.stderr.toString());
  return folder;
}

/** Runs pip on an environment; returns what it printed. */
export function runPip(venv: string, ...args: string[]): string {
  const python = join(venv, "bin/python");
  const command = [basePython(), "-m", "pip", "--python", python, "--isolated", ...args];
  const result = Bun.spawnSync(command, {
    env: { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_CONFIG_FILE: "/dev/null" },
    stdout: "pipe",
    stderr: "pipe",
  });
  const output = result.stdout.toString() + result.stderr.toString();
  if (!result.success) throw new Error(`pip ${args.join(" ")}: ${output}`);
  return output;
}

/** A reason where there is no python3 with pip. */
export function needsPip(): string | undefined {
  const { success } = Bun.spawnSync([basePython(), "-m", "pip", "--version"]);
  return success ? undefined : "needs python3 with pip";
}

function basePython(): string {
  return Bun.which("python3") ?? "python3";
}

/** Every file below a folder with its content, except the state folder's: for comparisons. */
export function snapshotTree(folder: string, skip: RegExp = /^\.blast$/): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (path: string): void => {
    for (const name of readdirSync(join(folder, path)).sort()) {
      const below = path === "" ? name : `${path}/${name}`;
      if (skip.test(below)) continue;
      const status = lstatSync(join(folder, below));
      const mode = (status.mode & 0o777).toString(8);
      if (status.isDirectory()) {
        found[`${below}/`] = mode;
        visit(below);
      } else if (status.isSymbolicLink()) found[below] = `-> ${readlinkSync(join(folder, below))}`;
      else found[below] = `${mode} ${readFileSync(join(folder, below), "latin1")}`;
    }
  };
  visit("");
  return found;
}
