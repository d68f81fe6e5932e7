/**
 * Runs a command line against a spec: strict where citty is lenient (docs/decisions/0001-citty.md).
 * What it does once it is taken apart is in perform.ts, which every command but `--version` needs:
 * bin/triad.ts answers that one itself.
 */

import { printLine } from "../out/print-line.ts";
import type { PrinterOptions } from "../out/printer.ts";
import { versionInfo, versionLine } from "../version.ts";
import type { ArgsSpec, CommandSpec } from "./command.ts";
import type { GlobalValues } from "./globals.ts";
import { GLOBAL_ARGS } from "./globals.ts";
import { parseArguments } from "./parse.ts";
import { perform } from "./perform.ts";

/** A command line to run. */
export interface RunOptions {
  /** The command behind the name. */
  readonly load: () => Promise<CommandSpec> | CommandSpec;
  /** As the executable was called: `blit`, `triad`. */
  readonly name: string;
  /** The arguments after the name, as Bun decodes them. */
  readonly argv: readonly string[];
  /** Replaced in tests. */
  readonly output?: Pick<PrinterOptions, "write" | "isTerminal">;
  /** Replaced in tests. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Where the words of the command line have led to. */
export interface Call {
  readonly spec: CommandSpec;
  readonly path: string;
  /** Words of the parent's page in the reference. */
  readonly page: readonly string[];
  /** The name that `--version` gives: `blit`, also when called as `triad blit`. */
  readonly versionName: string;
  /** The arguments; `help copy` is read as `copy --help`. */
  readonly argv: readonly string[];
  /** Indices in argv of everything that is no subcommand word. */
  readonly indices: readonly number[];
  readonly unknownWord: string | undefined;
}

/**
 * Runs the command line.
 *
 * @returns the exit code; nothing is thrown
 */
export async function runCommand(options: RunOptions): Promise<number> {
  const call = await findCommand(options);
  const argv: string[] = [];
  for (const index of call.indices) argv.push(call.argv[index] ?? "");
  const passThrough = call.spec.passThrough === true;
  const parsed = parseArguments(argv, { args: argsOf(call.spec), passThrough });
  const globals = parsed.values as unknown as GlobalValues;
  if (globals.version && !globals.help) {
    printVersion(call.versionName, globals.json);
    return 0;
  }
  return perform({ call, argv, parsed, options });
}

/** Follows the words down to the command; a flag on the way is judged with the command's own. */
async function findCommand(options: RunOptions): Promise<Call> {
  const { argv, name } = options;
  let spec = await options.load();
  const path = [name];
  let page: string[] = [];
  let versionName = name;
  const indices: number[] = [];
  let position = 0;
  while (spec.subCommands !== undefined) {
    const end = isWord(argv[position])
      ? position
      : parseArguments(argv, { args: argsOf(spec), from: position, stopAtPositional: true }).end;
    addRange(indices, position, end);
    position = end;
    const word = argv[end];
    if (word === undefined) {
      break;
    }
    const load = Object.hasOwn(spec.subCommands, word) ? spec.subCommands[word] : undefined;
    if (load === undefined && word === "help") {
      return findCommand({ ...options, argv: [...argv.toSpliced(end, 1), "--help"] });
    }
    if (load === undefined) {
      addRange(indices, end + 1, argv.length);
      return { spec, path: path.join(" "), page, versionName, argv, indices, unknownWord: word };
    }
    page = spec.tool === true ? [spec.meta.name] : [...page, path.at(-1) ?? name];
    spec = await load();
    path.push(word);
    position = end + 1;
    versionName = spec.tool === true ? word : versionName;
  }
  addRange(indices, position, argv.length);
  return { spec, path: path.join(" "), page, versionName, argv, indices, unknownWord: undefined };
}

function printVersion(name: string, json: boolean): void {
  printLine(
    json
      ? JSON.stringify({ schema: "triad.version/1", name, ...versionInfo() })
      : versionLine(name),
  );
}

function argsOf(spec: CommandSpec): ArgsSpec {
  return { ...GLOBAL_ARGS, ...spec.args };
}

/** No flag can stand before it, so no table of flags is needed to know where the word is. */
function isWord(token: string | undefined): boolean {
  return token !== undefined && (token === "-" || !token.startsWith("-"));
}

function addRange(indices: number[], from: number, to: number): void {
  for (let index = from; index < to; index += 1) indices.push(index);
}
