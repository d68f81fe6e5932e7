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
] as const;

/**
 * What the tags of a platform follow from.
 *
 * @throws PepError when the name is not known
 */
export function targetFacts(name: string): PlatformFacts {
  return target(name).facts;
}

/**
 * What markers get to see on a platform; the rest is Python's.
 *
 * @throws PepError when the name is not known
 */
export function targetMarkers(name: string): TargetMarkers {
  const [os_name, sys_platform, platform_system, platform_machine] = target(name).markers;
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
const GLIBC_RISCV: SystemVersion = [2, 39];
const MUSL: SystemVersion = [1, 2];
const MACOS: SystemVersion = [13, 0];

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

function target(given: string): Target {
  const name = ALIASES.get(given) ?? given;
  const dash = name.indexOf("-");
  const arch = name.slice(0, dash);
  const rest = name.slice(dash + 1);
  const found = linux(arch, rest) ?? apple(arch, rest) ?? windows(arch, rest) ?? other(name);
  if (found !== undefined) return found;
  throw new PepError(
    `Cannot use platform ${quote(given)}: it is none of ${TARGET_PLATFORMS.join(", ")}`,
  );
}

function linux(arch: string, rest: string): Target | undefined {
  const markers = ["posix", "linux", "Linux", arch] as const;
  const facts = { platform: `linux-${arch}`, pointerBits: 64 } as const;
  if (arch === "riscv64" && rest === "unknown-linux") {
    return { facts: { ...facts, glibc: GLIBC_RISCV }, markers };
  }
  if (arch !== "x86_64" && arch !== "aarch64") return undefined;
  if (rest === "unknown-linux-musl") return { facts: { ...facts, musl: MUSL }, markers };
  const glibc = rest === "unknown-linux-gnu" ? GLIBC : manylinuxVersion(rest);
  return glibc === undefined ? undefined : { facts: { ...facts, glibc }, markers };
}

function manylinuxVersion(rest: string): SystemVersion | undefined {
  if (rest === "manylinux2014") return [2, 17];
  const parts = /^manylinux_2_(\d{1,3})$/.exec(rest);
  return parts === null ? undefined : [2, Number(parts[1])];
}

function apple(arch: string, rest: string): Target | undefined {
  const machine = arch === "aarch64" ? "arm64" : arch;
  if (machine !== "arm64" && machine !== "x86_64") return undefined;
  if (rest === "apple-darwin") {
    const facts = { platform: `macosx-11.0-${machine}`, macArch: machine, macos: MACOS } as const;
    return {
      facts: { ...facts, pointerBits: 64 },
      markers: ["posix", "darwin", "Darwin", machine],
    };
  }
  const sdk = IOS_SDKS.get(rest);
  if (sdk === undefined || (sdk === "iphoneos" && machine !== "arm64")) return undefined;
  return {
    facts: { platform: `ios-13.0-${machine}-${sdk}`, pointerBits: 64 },
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

function other(name: string): Target | undefined {
  switch (name) {
    case "aarch64-linux-android":
    case "x86_64-linux-android": {
      const machine = name.slice(0, name.indexOf("-"));
      const abi = machine === "aarch64" ? "arm64_v8a" : machine;
      return {
        facts: { platform: `android-24-${abi}`, pointerBits: 64 },
        markers: ["posix", "android", "Android", machine],
      };
    }
    case "wasm32-pyodide2024":
      return {
        facts: { platform: "pyodide-2024-0-wasm32", pointerBits: 32 },
        markers: ["posix", "emscripten", "Emscripten", "wasm32"],
      };
    default:
      return undefined;
  }
}
