/** The platforms whose binaries a Python can load, best first (PEP 425, 600, 656, 730, 738). */

/** A version of an operating system or C library: major and minor. */
export type SystemVersion = readonly [major: number, minor: number];

/** What the platform tags follow from. */
export interface PlatformFacts {
  /** `sysconfig.get_platform()`: `linux-x86_64`, `macosx-11.0-arm64`, `win-amd64`. */
  readonly platform: string;
  /** Size of a pointer: a 32-bit Python may run on a 64-bit system. */
  readonly pointerBits: 32 | 64;
  /** Of the running glibc, by `os.confstr("CS_GNU_LIBC_VERSION")`; undefined without glibc. */
  readonly glibc?: SystemVersion | undefined;
  /** Of the musl that the interpreter is linked to; undefined without musl. */
  readonly musl?: SystemVersion | undefined;
  /** Of the running macOS, by `platform.mac_ver()`, where 10.16 is told as the true one. */
  readonly macos?: SystemVersion | undefined;
  /** The processor of a Mac, by `platform.mac_ver()`: `arm64` or `x86_64`. */
  readonly macArch?: string | undefined;
  /** False: an ARM system of 32 bits passes floating-point numbers in general registers. */
  readonly hardFloat?: boolean | undefined;
}

/** Platform tags in the order of preference, in lower case. */
export function platformTags(facts: PlatformFacts): string[] {
  const normal = facts.platform.toLowerCase().replace(/[-. ]/g, "_");
  if (normal.startsWith("linux_")) return linuxPlatforms(facts, normal);
  if (normal.startsWith("macosx_")) return macPlatforms(facts, normal);
  if (normal.startsWith("ios_")) return iosPlatforms(normal);
  if (normal.startsWith("android_")) return androidPlatforms(normal);
  return [normal];
}

const MANYLINUX_64 = new Set([
  "x86_64",
  "aarch64",
  "ppc64",
  "ppc64le",
  "s390x",
  "loongarch64",
  "riscv64",
]);

/** PEP 513, 571 and 599: the names from before PEP 600, by glibc version. */
const LEGACY_NAMES: Readonly<Record<string, string>> = {
  "2_5": "manylinux1",
  "2_12": "manylinux2010",
  "2_17": "manylinux2014",
};

/** What a glibc 3 would be taken to have had before it. */
const LAST_MINOR_GUESS = 50;

function linuxPlatforms(facts: PlatformFacts, normal: string): string[] {
  const arch = linuxArch(normal.slice("linux_".length), facts.pointerBits);
  const archs = arch === "armv8l" ? ["armv8l", "armv7l"] : [arch];
  const native = archs.map((name) => `linux_${name}`);
  return [...native, ...manylinux(facts, archs), ...musllinux(facts, archs)];
}

function linuxArch(arch: string, pointerBits: 32 | 64): string {
  if (pointerBits === 64) return arch;
  if (arch === "x86_64") return "i686";
  return arch === "aarch64" ? "armv8l" : arch;
}

function manylinux({ glibc, hardFloat }: PlatformFacts, archs: readonly string[]): string[] {
  if (glibc === undefined) return [];
  if (archs.includes("armv7l")) {
    if (hardFloat === false) return [];
  } else if (!archs.some((arch) => arch === "i686" || MANYLINUX_64.has(arch))) {
    return [];
  }
  const isX86 = archs.some((arch) => arch === "x86_64" || arch === "i686");
  const tags: string[] = [];
  for (const arch of archs) {
    for (const version of glibcVersions(glibc, isX86 ? 5 : 17)) {
      tags.push(`manylinux_${version}_${arch}`);
      const legacy = LEGACY_NAMES[version];
      if (legacy !== undefined) tags.push(`${legacy}_${arch}`);
    }
  }
  return tags;
}

/** From the running one down to 2.5 or 2.17, as `2_36`. */
function glibcVersions([major, minor]: SystemVersion, oldestMinor: number): string[] {
  const versions: string[] = [];
  for (let current = major; current >= 2; current -= 1) {
    const newest = current === major ? minor : LAST_MINOR_GUESS;
    const oldest = current === 2 ? oldestMinor : 0;
    for (let at = newest; at >= oldest; at -= 1) versions.push(`${current}_${at}`);
  }
  return versions;
}

function musllinux({ musl }: PlatformFacts, archs: readonly string[]): string[] {
  if (musl === undefined) return [];
  const tags: string[] = [];
  for (const arch of archs) {
    for (let minor = musl[1]; minor >= 0; minor -= 1) {
      tags.push(`musllinux_${musl[0]}_${minor}_${arch}`);
    }
  }
  return tags;
}

function macPlatforms(facts: PlatformFacts, normal: string): string[] {
  const built = /^macosx_(\d+)_(\d+)_(.+)$/.exec(normal);
  const version = facts.macos ?? [Number(built?.[1] ?? 10), Number(built?.[2] ?? 0)];
  const arch = macArch(facts.macArch ?? built?.[3] ?? "x86_64", facts.pointerBits);
  const tags: string[] = [];
  const add = (major: number, minor: number, formats: readonly string[]) => {
    for (const format of formats) tags.push(`macosx_${major}_${minor}_${format}`);
  };
  if (version[0] < 11) {
    if (version[0] < 10) return [];
    for (let minor = version[1]; minor >= 0; minor -= 1) add(10, minor, macFormats(minor, arch));
    return tags;
  }
  for (let major = version[0]; major > 10; major -= 1) add(major, 0, macFormats(99, arch));
  // Binaries for Intel from before macOS 11 run on; on ARM those that hold both sorts.
  for (let minor = 16; minor > 3; minor -= 1) {
    add(10, minor, arch === "x86_64" ? macFormats(minor, arch) : ["universal2"]);
  }
  return tags;
}

function macArch(arch: string, pointerBits: 32 | 64): string {
  if (pointerBits === 64) return arch;
  return arch.startsWith("ppc") ? "ppc" : "i386";
}

/** Kinds of binaries that hold code for a processor, for macOS 10.`minor`; newer ones: 99. */
function macFormats(minor: number, arch: string): string[] {
  switch (arch) {
    case "x86_64":
      return minor < 4 ? [] : [arch, "intel", "fat64", "fat3", "universal2", "universal"];
    case "i386":
      return minor < 4 ? [] : [arch, "intel", "fat3", "fat", "universal"];
    case "ppc64":
      return minor > 5 || minor < 4 ? [] : [arch, "fat64", "universal"];
    case "ppc":
      return minor > 6 ? [] : [arch, "fat3", "fat", "universal"];
    case "arm64":
      return [arch, "universal2"];
    case "intel":
      return [arch, "universal"];
    default:
      return [arch];
  }
}

/** PEP 730; from the version that Python was built for, since 12.0. */
function iosPlatforms(normal: string): string[] {
  const parts = /^ios_(\d+)_(\d+)_(.+)$/.exec(normal);
  if (parts === null) return [normal];
  const tags: string[] = [];
  const newest = Number(parts[1]);
  for (let major = newest; major >= 12; major -= 1) {
    for (let minor = major === newest ? Number(parts[2]) : 9; minor >= 0; minor -= 1) {
      tags.push(`ios_${major}_${minor}_${parts[3]}`);
    }
  }
  return tags;
}

/** PEP 738; from the API level that Python was built for, down to 16. */
function androidPlatforms(normal: string): string[] {
  const parts = /^android_(\d+)_(.+)$/.exec(normal);
  if (parts === null) return [normal];
  const tags: string[] = [];
  for (let level = Number(parts[1]); level >= 16; level -= 1) {
    tags.push(`android_${level}_${parts[2]}`);
  }
  return tags;
}
