/**
 * What a marker can ask of a Python and its machine: the names of PEP 508, with what CPython and
 * PyPy answer.
 *
 * @see https://packaging.python.org/en/latest/specifications/dependency-specifiers/
 */
export interface MarkerEnvironment {
  /** Major and minor: `3.12`. */
  readonly python_version: string;
  /** `3.12.1`, `3.13.0rc1`, `3.12.1+` for a build from between two releases. */
  readonly python_full_version: string;
  /** `posix`, `nt`, `java`. */
  readonly os_name: string;
  /** `linux`, `darwin`, `win32`, `cygwin`. */
  readonly sys_platform: string;
  /** `x86_64`, `aarch64`, `arm64` (macOS), `AMD64` (Windows). */
  readonly platform_machine: string;
  /** `CPython`, `PyPy`. */
  readonly platform_python_implementation: string;
  readonly platform_release: string;
  /** `Linux`, `Darwin`, `Windows`. */
  readonly platform_system: string;
  readonly platform_version: string;
  /** `cpython`, `pypy`. */
  readonly implementation_name: string;
  /** Of CPython that of Python, of PyPy its own. */
  readonly implementation_version: string;
}

/** The name of a value of the environment. */
export type EnvironmentName = keyof MarkerEnvironment;

/** A name that a marker can hold: the environment's, and what was asked for by the user. */
export type MarkerName = EnvironmentName | "extra" | "extras" | "dependency_groups";

/** Names whose values are compared as versions (where they are versions). */
const VERSION_NAMES: ReadonlySet<string> = new Set<MarkerName>([
  "implementation_version",
  "platform_release",
  "python_full_version",
  "python_version",
]);

const NAMES: ReadonlySet<string> = new Set<MarkerName>([
  "dependency_groups",
  "extra",
  "extras",
  "implementation_name",
  "implementation_version",
  "os_name",
  "platform_machine",
  "platform_python_implementation",
  "platform_release",
  "platform_system",
  "platform_version",
  "python_full_version",
  "python_version",
  "sys_platform",
]);

/** Spellings that older tools wrote, from before PEP 508. */
const ALIASES: ReadonlyMap<string, MarkerName> = new Map([
  ["os.name", "os_name"],
  ["sys.platform", "sys_platform"],
  ["platform.machine", "platform_machine"],
  ["platform.version", "platform_version"],
  ["platform.python_implementation", "platform_python_implementation"],
  ["python_implementation", "platform_python_implementation"],
]);

/** The name that a word of a marker stands for, old spellings included; undefined: none. */
export function markerName(word: string): MarkerName | undefined {
  return isMarkerName(word) ? word : ALIASES.get(word);
}

/** Whether values of this name are compared by the rules of PEP 440. */
export function isVersionName(name: MarkerName): boolean {
  return VERSION_NAMES.has(name);
}

function isMarkerName(word: string): word is MarkerName {
  return NAMES.has(word);
}
