/**
 * What a command line does once it is taken apart: help, usage errors, the command itself, and the
 * report of its failure.
 */
import { Fault } from "../fault/fault.ts";
import { faultFromBug } from "../fault/render.ts";
import { Printer } from "../out/printer.ts";
import { loadColorStyle, PLAIN_STYLE, wantsColor } from "../out/style.ts";
import type { OutputFd } from "../out/tty.ts";
import { isTerminal, terminalColumns } from "../out/tty.ts";
import { BrokenPipe } from "../out/write-fully.ts";
import type { ArgsSpec, CommandContext, ParsedArgs } from "./command.ts";
import type { GlobalValues } from "./globals.ts";
import { colorModeOf, levelOf } from "./globals.ts";
import type { Parsed } from "./parse.ts";
import { rawArguments } from "./raw-arguments.ts";
import type { Call, RunOptions } from "./run.ts";

/** A command line, taken apart. */
export interface Performance {
  readonly call: Call;
  /** The arguments without the words of the command. */
  readonly argv: readonly string[];
  readonly parsed: Parsed;
  readonly options: RunOptions;
}

/**
 * Does what the command line says.
 *
 * @returns the exit code; nothing is thrown
 */
export async function perform(performance: Performance): Promise<number> {
  const globals = performance.parsed.values as unknown as GlobalValues;
  const printer = await createPrinter(globals, performance.options);
  try {
    return await performWith(printer, performance);
  } catch (error) {
    return reportFailure(error, printer);
  }
}

async function performWith(printer: Printer, performance: Performance): Promise<number> {
  const { call, parsed } = performance;
  const { spec, unknownWord } = call;
  if (parsed.values["help"] === true) {
    await printHelp(call, { printer, long: parsed.spelled["help"] === "--help", fd: 1 });
    return 0;
  }
  if (unknownWord !== undefined) {
    const { unknownCommand } = await import("./usage-fault.ts");
    const before = call.argv.slice(0, call.argv.indexOf(unknownWord));
    throw await unknownCommand(unknownWord, call, { problems: parsed.problems, before });
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
  const code = (await spec.run(contextOf(printer, performance))) ?? 0;
  return code === 0 ? flushed(printer) : code;
}

/** A failed last write counts: what stdout should have held is not there. */
function flushed(printer: Printer): number {
  printer.flush();
  return 0;
}

function contextOf(printer: Printer, performance: Performance): CommandContext {
  const { call, argv, parsed } = performance;
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
  const text = renderHelp(await describeCommand(call.spec, call.path, call.page), {
    long,
    style,
    columns,
  });
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
