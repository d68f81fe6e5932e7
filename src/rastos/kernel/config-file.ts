import { Fault } from "../../kit/fault/fault.ts";

/** One setting of a kernel configuration, as its line says it. */
export interface ConfigLine {
  /** Without `CONFIG_`. */
  readonly symbol: string;
  /** `y`, `m`, `n` (also for "is not set"), a number, or a text in its quotation marks. */
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
}

/** For which kernels the line after a directive `#: since 6.6` is meant. */
export interface KernelFacts {
  /** Version, patch level and sublevel: `[6, 1, 192]`. */
  readonly version: readonly number[];
  /** The folder under arch/: `x86`. */
  readonly sourceArchitecture: string;
}

const ASSIGNMENT = /^CONFIG_(\w+)=(.*)$/;
const NOT_SET = /^# CONFIG_(\w+) is not set$/;
const VALUE = /^([ymn]|-?\d+|0[xX][0-9a-fA-F]+|"(?:[^"\\]|\\.)*")$/;

/**
 * Reads a kernel configuration (Documentation/kbuild/kconfig.rst): the whole one of a build, or the
 * few lines of a profile. In a profile a line `#: since 6.6`, `#: until 6.8` or `#: on x86` says
 * for which kernels the next line is meant.
 *
 * @param file its name for messages
 * @param facts the kernel; without it every line counts
 * @throws {Fault} E_CONFIG with the line that is not understood
 */
export function parseConfig(file: string, text: string, facts?: KernelFacts): ConfigLine[] {
  const lines: ConfigLine[] = [];
  let isMeant = true;
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trimEnd();
    if (line.startsWith("#:")) {
      isMeant = holds(line.slice(2).trim(), facts, `${file}:${index + 1}`);
      continue;
    }
    const setting = parseLine(line, `${file}:${index + 1}`);
    if (setting === undefined) continue;
    if (isMeant) lines.push({ ...setting, line: index + 1 });
    isMeant = true;
  }
  return lines;
}

function parseLine(line: string, place: string): Omit<ConfigLine, "line"> | undefined {
  const unset = NOT_SET.exec(line);
  if (unset?.[1] !== undefined) return { symbol: unset[1], value: "n" };
  if (line === "" || line.startsWith("#")) return undefined;
  const [, symbol, value] = ASSIGNMENT.exec(line) ?? [];
  if (symbol !== undefined && value !== undefined && VALUE.test(value)) return { symbol, value };
  throw new Fault({
    code: "E_CONFIG",
    message: `Cannot read "${place}": the line "${shorten(line)}" is no kernel setting`,
    hint: 'settings are CONFIG_NAME=y, =m, =n, a number or a "text"',
  });
}

function holds(condition: string, facts: KernelFacts | undefined, place: string): boolean {
  const [, word, operand] = /^(since|until|on) (\S+)$/.exec(condition) ?? [];
  if (word === undefined || operand === undefined) {
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot read "${place}": "${shorten(condition)}" is no condition`,
      hint: 'conditions are "since 6.6", "until 6.8" and "on x86"',
    });
  }
  if (facts === undefined) return true;
  if (word === "on") return facts.sourceArchitecture === operand;
  const order = compareVersions(facts.version, operand.split(".").map(Number));
  return word === "since" ? order >= 0 : order < 0;
}

/** By the numbers that both have; `until 6.8` so leaves out all of 6.8. */
function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (const [index, number] of b.entries()) {
    const difference = (a[index] ?? 0) - number;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The lines as a configuration file has them. */
export function formatConfig(settings: Iterable<Pick<ConfigLine, "symbol" | "value">>): string {
  let text = "";
  for (const { symbol, value } of settings) text += `${formatSetting(symbol, value)}\n`;
  return text;
}

/** `CONFIG_BTRFS_FS=y`, `# CONFIG_KEXEC is not set`. */
export function formatSetting(symbol: string, value: string): string {
  return value === "n" ? `# CONFIG_${symbol} is not set` : `CONFIG_${symbol}=${value}`;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
