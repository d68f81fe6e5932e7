import { PepError, quote } from "./error.ts";
import type { MarkerEnvironment } from "./marker-environment.ts";
import type { PlatformFacts, SystemVersion } from "./platform-tags.ts";

/** What markers ask of a machine that is not at hand. */
export type TargetMarkers = Pick<
  MarkerEnvironment,
  | "os_name"
  | "sys_platform"
  | "platform_machine"
  | "platform_system"
  | "platform_release"
  | "platform_version"
>;

/** The oldest system that must do, where that is not part of the platform's name. */
export interface OldestSystem {
  /** As MACOSX_DEPLOYMENT_TARGET gives it to uv; 13.0 if undefined. */
  readonly macos?: SystemVersion | undefined;
  /** As IPHONEOS_DEPLOYMENT_TARGET; 13.0 if undefined. */
  readonly ios?: SystemVersion | undefined;
  /** As ANDROID_API_LEVEL; 24 if undefined. */
  readonly androidApi?: number | undefined;
}

/**
 * Names of platforms as uv's `--python-platform` takes them. `linux`, `macos` and `windows` are
 * what most people have: x86_64 with glibc 2.28, arm64 with macOS 13, x86_64. Any glibc may be
 * named, as in `aarch64-manylinux_2_34`.
 */
export const TARGET_PLATFORMS = [
  "linux",
  "macos",
  "windows",
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "riscv64-unknown-linux",
  "powerpc64le-unknown-linux-gnu",
  "s390x-unknown-linux-gnu",
  "x86_64-unknown-linux-musl",
  "aarch64-unknown-linux-musl",
  "x86_64-manylinux2014",
  "x86_64-manylinux_2_28",
  "aarch64-manylinux2014",
  "aarch64-manylinux_2_28",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
  "aarch64-pc-windows-msvc",
  "i686-pc-windows-msvc",
  "aarch64-linux-android",
  "x86_64-linux-android",
  "arm64-apple-ios",
  "arm64-apple-ios-simulator",
  "x86_64-apple-ios-simulator",
  "wasm32-pyodide2024",
  "wasm32-pyodide2025",
] as const;

/**
 * What the tags of a platform follow from.
 *
 * @throws PepError when the name is not known
 */
export function targetFacts(name: string, oldest: OldestSystem = {}): PlatformFacts {
  return target(name, oldest).facts;
}

/**
 * What markers get to see on a platform; the rest is Python's.
 *
 * @throws PepError when the name is not known
 */
export function targetMarkers(name: string): TargetMarkers {
  const [os_name, sys_platform, platform_system, platform_machine] = target(name, {}).markers;
  return {
    os_name,
    sys_platform,
    platform_system,
    platform_machine,
    // Nobody knows which kernel it will be.
    platform_release: "",
    platform_version: "",
  };
}

interface Target {
  readonly facts: PlatformFacts;
  readonly markers: readonly [os: string, sys: string, system: string, machine: string];
}

interface WindowsTarget extends PlatformFacts {
  readonly machine: string;
}

/** glibc of RHEL 8, Debian 10 and Ubuntu 18.10. */
const GLIBC: SystemVersion = [2, 28];
const MUSL: SystemVersion = [1, 2];
const MACOS: SystemVersion = [13, 0];
const IOS: SystemVersion = [13, 0];
const ANDROID_API = 24;

const ALIASES = new Map([
  ["linux", "x86_64-unknown-linux-gnu"],
  ["macos", "aarch64-apple-darwin"],
  ["windows", "x86_64-pc-windows-msvc"],
  ["arm64-apple-darwin", "aarch64-apple-darwin"],
  ["arm64-pc-windows-msvc", "aarch64-pc-windows-msvc"],
]);

const IOS_SDKS = new Map([
  ["apple-ios", "iphoneos"],
  ["apple-ios-simulator", "iphonesimulator"],
]);

const WINDOWS: ReadonlyMap<string, WindowsTarget> = new Map([
  ["x86_64", { platform: "win-amd64", pointerBits: 64, machine: "AMD64" }],
  ["aarch64", { platform: "win-arm64", pointerBits: 64, machine: "ARM64" }],
  ["i686", { platform: "win32", pointerBits: 32, machine: "x86" }],
]);

/** Names of processors in a target and in a platform tag. */
const LINUX_ARCHS = new Map([
  ["x86_64", "x86_64"],
  ["aarch64", "aarch64"],
  ["riscv64", "riscv64"],
  ["powerpc64le", "ppc64le"],
  ["s390x", "s390x"],
  ["loongarch64", "loongarch64"],
]);

function target(given: string, oldest: OldestSystem): Target {
  const name = ALIASES.get(given) ?? given;
  const dash = name.indexOf("-");
  const arch = name.slice(0, dash);
  const rest = name.slice(dash + 1);
  const found =
    linux(arch, rest) ??
    apple(arch, rest, oldest) ??
    windows(arch, rest) ??
    android(arch, rest, oldest) ??
    pyodide(name);
  if (found !== undefined) return found;
  throw new PepError(
    `Cannot use platform ${quote(given)}: it is none of ${TARGET_PLATFORMS.join(", ")}`,
  );
}

function linux(name: string, rest: string): Target | undefined {
  const arch = LINUX_ARCHS.get(name);
  if (arch === undefined) return undefined;
  const markers = ["posix", "linux", "Linux", arch] as const;
  const facts = { platform: `linux-${arch}`, pointerBits: 64 } as const;
  if (rest === "unknown-linux-musl") return { facts: { ...facts, musl: MUSL }, markers };
  const usual = rest === "unknown-linux-gnu" || (arch === "riscv64" && rest === "unknown-linux");
  const glibc = usual ? usualGlibc(arch) : manylinuxVersion(rest);
  return glibc === undefined ? undefined : { facts: { ...facts, glibc }, markers };
}

function usualGlibc(arch: string): SystemVersion {
  if (arch === "riscv64") return [2, 39];
  return arch === "loongarch64" ? [2, 36] : GLIBC;
}

function manylinuxVersion(rest: string): SystemVersion | undefined {
  if (rest === "manylinux2014") return [2, 17];
  const parts = /^manylinux_2_(\d{1,3})$/.exec(rest);
  return parts === null ? undefined : [2, Number(parts[1])];
}

function apple(arch: string, rest: string, oldest: OldestSystem): Target | undefined {
  const machine = arch === "aarch64" ? "arm64" : arch;
  if (machine !== "arm64" && machine !== "x86_64") return undefined;
  if (rest === "apple-darwin") {
    const macos = oldest.macos ?? MACOS;
    return {
      facts: { platform: `macosx-11.0-${machine}`, macArch: machine, macos, pointerBits: 64 },
      markers: ["posix", "darwin", "Darwin", machine],
    };
  }
  const sdk = IOS_SDKS.get(rest);
  if (sdk === undefined || (sdk === "iphoneos" && machine !== "arm64")) return undefined;
  return {
    facts: { platform: `ios-${(oldest.ios ?? IOS).join(".")}-${machine}-${sdk}`, pointerBits: 64 },
    markers: ["posix", "ios", "iOS", machine],
  };
}

function windows(arch: string, rest: string): Target | undefined {
  if (rest !== "pc-windows-msvc") return undefined;
  const known = WINDOWS.get(arch);
  if (known === undefined) return undefined;
  const { platform, pointerBits, machine } = known;
  return { facts: { platform, pointerBits }, markers: ["nt", "win32", "Windows", machine] };
}

function android(arch: string, rest: string, oldest: OldestSystem): Target | undefined {
  if (rest !== "linux-android" || (arch !== "aarch64" && arch !== "x86_64")) return undefined;
  const abi = arch === "aarch64" ? "arm64_v8a" : arch;
  return {
    facts: { platform: `android-${oldest.androidApi ?? ANDROID_API}-${abi}`, pointerBits: 64 },
    markers: ["posix", "android", "Android", arch],
  };
}

function pyodide(name: string): Target | undefined {
  const year = /^wasm32-pyodide(2024|2025)$/.exec(name)?.[1];
  if (year === undefined) return undefined;
  return {
    facts: { platform: `pyodide-${year}-0-wasm32`, pointerBits: 32 },
    markers: ["posix", "emscripten", "Emscripten", "wasm32"],
  };
}
