import type { MarkerEnvironment } from "../pep/marker-environment.ts";
import type { InterpreterTags } from "../pep/tag.ts";
import { readElf } from "./elf.ts";
import type { SchemePaths } from "./probe.ts";

/** What the probe's script prints. */
export interface Answer {
  readonly executable: string;
  readonly version: string;
  readonly major: number;
  readonly minor: number;
  readonly implementation: string;
  readonly markers: MarkerEnvironment;
  readonly prefix: string;
  readonly basePrefix: string;
  readonly baseExecPrefix: string;
  readonly platlibdir: string;
  readonly paths: SchemePaths;
  readonly venvPaths: SchemePaths;
  /** sysconfig.get_platform(). */
  readonly platform: string;
  readonly pointerBits: 32 | 64;
  readonly soabi: string | null;
  readonly extSuffix: string | null;
  readonly extensionSuffixes: readonly string[] | null;
  readonly debug: boolean;
  readonly freeThreaded: boolean;
  readonly pymalloc: unknown;
  /** `glibc 2.36`. */
  readonly libc: string | null;
  readonly macVersion: string | null;
  readonly macArch: string | null;
  /** Added by {@link machineFacts}. */
  readonly musl?: readonly [major: number, minor: number] | null;
  readonly hardFloat?: boolean | null;
}

/** What the choice of wheels needs. */
export function tagsOf(answer: Answer): InterpreterTags {
  const { libc, macVersion, pymalloc, musl, hardFloat } = answer;
  const glibc = /^glibc (\d+)\.(\d+)/.exec(libc ?? "");
  return {
    implementation: answer.implementation,
    version: [answer.major, answer.minor],
    platform: answer.platform,
    pointerBits: answer.pointerBits,
    extSuffix: answer.extSuffix ?? undefined,
    debug: answer.debug,
    freeThreaded: answer.freeThreaded,
    pymalloc: pymalloc === null || pymalloc === undefined ? undefined : Boolean(pymalloc),
    glibc: glibc === null ? undefined : [Number(glibc[1]), Number(glibc[2])],
    musl: musl ?? undefined,
    macos: macVersion === null ? undefined : pairOf(macVersion),
    macArch: answer.macArch ?? undefined,
    hardFloat: hardFloat ?? undefined,
  };
}

const ARM = 40;
const HARD_FLOAT = 0x400;

/**
 * What the executable's own header tells: the floating-point convention of ARM, and musl's
 * version, which only the loader itself says, when it is run without a program.
 */
export async function machineFacts(path: string): Promise<Pick<Answer, "musl" | "hardFloat">> {
  const elf = readElf(path);
  if (elf === undefined) return {};
  const hardFloat = elf.machine === ARM ? (elf.flags & HARD_FLOAT) !== 0 : null;
  if (elf.loader === undefined || !elf.loader.includes("musl")) return { hardFloat, musl: null };
  const child = Bun.spawn([elf.loader], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const said = await new Response(child.stderr).text();
  const version = /^Version (\d+\.\d+)/m.exec(said)?.[1];
  return { hardFloat, musl: version === undefined ? null : pairOf(version) };
}

function pairOf(text: string): [major: number, minor: number] {
  const [major = 0, minor = 0] = text.split(".").map(Number);
  return [major, minor];
}
