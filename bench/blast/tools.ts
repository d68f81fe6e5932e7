import { existsSync } from "node:fs";
import { join } from "node:path";

/** What is measured, and with which Python. */
export interface Tools {
  readonly blast: string;
  readonly uv: string;
  readonly pip: readonly string[];
  readonly virtualenv: string;
  /** The interpreter of the environments. */
  readonly python: string;
}

/** The tools, or what is missing. */
export function findTools(root: string, python: string | undefined): Tools | string {
  const bin = join(root, ".tools/python/bin");
  const blast = join(root, "dist/blast");
  const uv = join(bin, "uv");
  if (!existsSync(blast)) return 'there is no dist/blast: run "bun run build.ts"';
  if (!existsSync(uv)) return "there is no .tools/python: run bin/test once";
  const found = python ?? interpreter();
  if (found === undefined) return "there is no Python";
  return {
    blast,
    uv,
    pip: [join(bin, "python"), "-m", "pip"],
    virtualenv: join(bin, "virtualenv"),
    python: found,
  };
}

/** The executable itself: a shim would be measured with it, and may refuse to run. */
function interpreter(): string | undefined {
  const script = "import sys; print(sys.executable)";
  for (const name of ["python3.12", "python3"]) {
    const path = Bun.which(name);
    const found = path === null ? "" : Bun.spawnSync([path, "-c", script]).stdout.toString().trim();
    if (found !== "") return found;
  }
  return undefined;
}

/** One text per tool. */
export function versionLines(tools: Tools): string[] {
  const first = (argv: readonly string[]): string =>
    Bun.spawnSync([...argv])
      .stdout.toString()
      .trim()
      .split("\n")[0] ?? "";
  return [
    first([tools.blast, "--version"]),
    first([tools.uv, "--version"]),
    first([...tools.pip, "--version"]).replace(/ from .*/, ""),
    first([tools.virtualenv, "--version"]).replace(/ from .*/, ""),
    first([tools.python, "--version"]),
  ];
}
