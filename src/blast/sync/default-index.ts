/**
 * The index where nobody has configured one: pip's own, read from the pip that comes with the
 * interpreter. triad names no index of its own, so there is one place less to change.
 */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { writeFileAtomic } from "../../kit/store/atomic.ts";
import type { Interpreter } from "../python/probe.ts";

/** pip's source file that names it, and how. */
const SOURCE = "pip/_internal/models/index.py";
const STATEMENT = /^PyPI\s*=\s*PackageIndex\(\s*["'](https?:\/\/[^"']+)["']/m;

/**
 * Address of the simple pages that pip uses by default. Found once per interpreter and then kept in
 * the cache folder.
 *
 * @throws {Fault} E_CONFIG where the interpreter has no pip that could be asked
 */
export async function defaultIndexUrl(
  interpreter: Interpreter,
  cacheFolder: string,
): Promise<string> {
  const cachePath = join(cacheFolder, "default-index-v1.json");
  const known = readKnown(cachePath);
  const cached = known[interpreter.path];
  if (cached !== undefined) return cached;
  const found = inSitePackages(interpreter) ?? (await inEnsurepip(interpreter));
  if (found === undefined) {
    throw new Fault({
      code: "E_CONFIG",
      message:
        "Cannot tell which index to use: none is configured, and " +
        `"${interpreter.path}" has no pip to take its default from`,
      hint: "give --index-url URL, set PIP_INDEX_URL, or [resolver] index_url in blast.toml",
    });
  }
  const url = new URL("simple/", found).href;
  keep(cachePath, { ...known, [interpreter.path]: url });
  return url;
}

function inSitePackages(interpreter: Interpreter): string | undefined {
  const { stdlib } = interpreter.paths;
  const folders = [
    interpreter.paths.purelib,
    join(stdlib, "site-packages"),
    // Debian's: shared by all versions of Python 3.
    join(dirname(stdlib), "python3/dist-packages"),
  ];
  for (const folder of folders) {
    const address = STATEMENT.exec(read(join(folder, SOURCE)) ?? "")?.[1];
    if (address !== undefined) return address;
  }
  return undefined;
}

/** The wheel that `python -m ensurepip` installs. */
async function inEnsurepip(interpreter: Interpreter): Promise<string | undefined> {
  const bundled = join(interpreter.paths.stdlib, "ensurepip/_bundled");
  const name = listed(bundled).find((one) => one.startsWith("pip-") && one.endsWith(".whl"));
  if (name === undefined) return undefined;
  const { readWheelMember } = await import("../wheel/member.ts");
  const source = readWheelMember(join(bundled, name), SOURCE);
  return STATEMENT.exec(new TextDecoder().decode(source))?.[1];
}

function readKnown(path: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Record<string, string>;
  } catch {
    return {};
  }
}

/** A cache that cannot be written costs the next run a little time and nothing else. */
function keep(path: string, known: Readonly<Record<string, string>>): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileAtomic({ path, content: JSON.stringify(known) });
  } catch {}
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
