/**
 * Runs a command line against a spec: strict where citty is lenient (docs/decisions/0001-citty.md).
 * Help, suggestions and colour are loaded only where they are needed.
 */
import { Fault } from "../fault/fault.ts";
import { faultFromBug } from "../fault/render.ts";
import type { PrinterOptions } from "../out/printer.ts";
import { Printer } from "../out/printer.ts";
import { loadColorStyle, PLAIN_STYLE, wantsColor } from "../out/style.ts";
import type { OutputFd } from "../out/tty.ts";
import { isTerminal, terminalColumns } from "../out/tty.ts";
import { BrokenPipe } from "../out/write-fully.ts";
import type { VersionInfo } from "../version.ts";
import { versionInfo, versionLine } from "../version.ts";
import type { ArgsSpec, CommandContext, CommandSpec, ParsedArgs } from "./command.ts";
import type { GlobalValues } from "./globals.ts";
import { colorModeOf, GLOBAL_ARGS, levelOf } from "./globals.ts";
import type { ParsedPrefix } from "./parse.ts";
import { parseArguments } from "./parse.ts";
import { rawArguments } from "./raw-arguments.ts";

/** A command line to run. */
export interface RunOptions {
  readonly spec: CommandSpec;
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
interface Call {
  readonly spec: CommandSpec;
  readonly path: string;
  /** The name that `--version` gives: `blit`, also when called as `triad blit`. */
  readonly versionName: string;
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
  const argv = call.indices.map((index) => options.argv[index] ?? "");
  const args: ArgsSpec = { ...GLOBAL_ARGS, ...call.spec.args };
  const parsed = parseArguments(argv, { args });
  const globals = parsed.values as unknown as GlobalValues;
  if (globals.version && !globals.help) {
    return printVersion(call.versionName, { json: globals.json, options });
  }
  const printer = await createPrinter(globals, options);
  try {
    return await perform({ call, argv, parsed, globals, printer, options });
  } catch (error) {
    return reportFailure(error, printer);
  }
}

/** Follows the words down to the command; a flag on the way is judged with the command's own. */
async function findCommand(options: RunOptions): Promise<Call> {
  const { argv, name } = options;
  let spec = options.spec;
  const path = [name];
  let versionName = name;
  const indices: number[] = [];
  let position = 0;
  while (spec.subCommands !== undefined) {
    const args: ArgsSpec = { ...GLOBAL_ARGS, ...spec.args };
    const { end } = parseArguments(argv, { args, from: position, stopAtPositional: true });
    indices.push(...range(position, end));
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
      indices.push(...range(end + 1, argv.length));
      return { spec, path: path.join(" "), versionName, indices, unknownWord: word };
    }
    spec = await load();
    path.push(word);
    position = end + 1;
    versionName = spec.tool === true ? word : versionName;
  }
  indices.push(...range(position, argv.length));
  return { spec, path: path.join(" "), versionName, indices, unknownWord: undefined };
}

interface Performance {
  readonly call: Call;
  readonly argv: readonly string[];
  readonly parsed: ParsedPrefix;
  readonly globals: GlobalValues;
  readonly printer: Printer;
  readonly options: RunOptions;
}

async function perform(performance: Performance): Promise<number> {
  const { call, parsed, globals, printer } = performance;
  const { spec, path, unknownWord } = call;
  if (globals.help) {
    await printHelp(call, { printer, long: parsed.spelled["help"] === "--help", fd: 1 });
    return 0;
  }
  if (spec.reserved === true) {
    throw new Fault({
      code: "E_NOT_BUILT",
      message: `Cannot run "${path}": this build of triad does not contain it yet`,
      hint: "install a later release",
    });
  }
  if (unknownWord !== undefined) {
    const { unknownCommand } = await import("./usage-fault.ts");
    throw await unknownCommand(unknownWord, call);
  }
  const problem = parsed.problems[0];
  if (problem !== undefined) {
    const { usageFault } = await import("./usage-fault.ts");
    throw await usageFault(problem, call);
  }
  if (spec.run === undefined) {
    await printHelp(call, { printer, long: false, fd: 2 });
    return 2;
  }
  const code = (await spec.run(contextOf(performance))) ?? 0;
  return code === 0 ? flushed(printer) : code;
}

/** A failed last write counts: what stdout should have held is not there. */
function flushed(printer: Printer): number {
  printer.flush();
  return 0;
}

function contextOf(performance: Performance): CommandContext {
  const { call, argv, parsed, printer } = performance;
  let raw: readonly string[] | undefined;
  const bytesAt = (origin: { readonly index: number; readonly start: number }): string => {
    raw ??= rawOf(performance);
    return raw[origin.index]?.slice(origin.start) ?? "";
  };
  return {
    args: parsed.values as ParsedArgs<ArgsSpec>,
    positionals: parsed.positionals,
    printer,
    commandPath: call.path,
    argv,
    rawPositionals: () => parsed.positionalOrigins.map(bytesAt),
    rawValues: (flag) => (parsed.valueOrigins[flag] ?? []).map(bytesAt),
  };
}

function rawOf(performance: Performance): readonly string[] {
  const all = rawArguments(performance.options.argv);
  return performance.call.indices.map((index) => all[index] ?? "");
}

async function createPrinter(globals: GlobalValues, options: RunOptions): Promise<Printer> {
  const environment = options.environment ?? process.env;
  const isTerminalFd = options.output?.isTerminal ?? isTerminal;
  const wants = (fd: OutputFd): boolean =>
    wantsColor({ mode: colorModeOf(globals), environment, isTerminal: () => isTerminalFd(fd) });
  const [data, talk] = [wants(1), wants(2)];
  const style = data || talk ? await loadColorStyle() : PLAIN_STYLE;
  return new Printer({
    level: levelOf(globals),
    json: globals.json,
    debug: globals.debug,
    progress: globals.progress,
    style: talk ? style : PLAIN_STYLE,
    dataStyle: data ? style : PLAIN_STYLE,
    ...options.output,
  });
}

function printVersion(
  name: string,
  how: { readonly json: boolean; readonly options: RunOptions },
): number {
  const printer = new Printer(how.options.output);
  try {
    if (how.json) {
      const info: VersionInfo = versionInfo();
      printer.json({ schema: "triad.version/1", name, ...info });
    } else {
      printer.out(versionLine(name));
    }
    return flushed(printer);
  } catch (error) {
    return reportFailure(error, printer);
  }
}

async function printHelp(
  call: Call,
  how: { readonly printer: Printer; readonly long: boolean; readonly fd: OutputFd },
): Promise<void> {
  const [{ renderHelp }, { describeCommand }] = await Promise.all([
    import("./help.ts"),
    import("./model.ts"),
  ]);
  const { printer, long, fd } = how;
  const style = fd === 1 ? printer.dataStyle : printer.style;
  const columns = terminalColumns(fd);
  const text = renderHelp(await describeCommand(call.spec, call.path), { long, style, columns });
  if (fd === 1) {
    printer.out(text);
    printer.flush();
  } else {
    printer.usage(text);
  }
}

/** The last word of a failed command. With `--json` stdout gets it too, as an object. */
function reportFailure(error: unknown, printer: Printer): number {
  if (error instanceof BrokenPipe) {
    return 0;
  }
  const fault = error instanceof Fault ? error : faultFromBug(error);
  printer.error(fault);
  try {
    if (printer.jsonMode) {
      printer.json({ schema: "triad.error/1", ...fault.toJson() });
    }
    printer.flush();
  } catch {
    // stdout itself is what failed; stderr has said so.
  }
  return fault.exit;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(to - from, 0) }, (_, offset) => from + offset);
}
