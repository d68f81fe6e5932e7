/**
 * The log: what happened, for whoever looks into it later; not the way to talk to the user, which
 * is the printer's. consola's core with a reporter of our own: the full consola costs 20 ms at
 * start-up. Load this file lazily.
 */
import { appendFileSync } from "node:fs";

import type { LogObject } from "consola/core";
import { createConsola, LogLevels } from "consola/core";

import { sanitise } from "../fault/redact.ts";
import type { Printer } from "../out/printer.ts";

/** How much is logged. */
export type LogLevel = "error" | "warn" | "info" | "debug" | "trace";

/** Where the log goes. */
export interface LoggerOptions {
  readonly level: LogLevel;
  /** Shows records on stderr where `-vv` or `--debug` asks for them. */
  readonly printer?: Printer;
  /**
   * Gets one JSON object per line, appended. A file that cannot be written is given up silently.
   */
  readonly file?: string;
  /** Replaced in tests. */
  readonly now?: () => Date;
}

/** A log with its levels; further arguments are data. */
export interface Logger {
  error(message: string, data?: Readonly<Record<string, unknown>>): void;
  warn(message: string, data?: Readonly<Record<string, unknown>>): void;
  info(message: string, data?: Readonly<Record<string, unknown>>): void;
  debug(message: string, data?: Readonly<Record<string, unknown>>): void;
  trace(message: string, data?: Readonly<Record<string, unknown>>): void;
}

/** A logger that writes to the given sinks; none means that it is silent. */
export function createLogger(options: LoggerOptions): Logger {
  const { printer, file } = options;
  const now = options.now ?? (() => new Date());
  let isFileGood = file !== undefined;
  const reporter = {
    log(record: LogObject): void {
      const [message, data] = record.args as [string, Readonly<Record<string, unknown>>?];
      printer?.debug(`${record.type}: ${sanitise(message)}${dataText(data)}`);
      if (file !== undefined && isFileGood) {
        const line = { time: now().toISOString(), level: record.type, message: sanitise(message) };
        isFileGood = append(file, data === undefined ? line : { ...line, data });
      }
    },
  };
  // Throttling would drop repeated records: a log holds what happened, all of it.
  return createConsola({ level: LogLevels[options.level], throttle: 0, reporters: [reporter] });
}

function dataText(data: Readonly<Record<string, unknown>> | undefined): string {
  return data === undefined ? "" : ` ${sanitise(JSON.stringify(data))}`;
}

function append(file: string, line: Readonly<Record<string, unknown>>): boolean {
  try {
    appendFileSync(file, `${JSON.stringify(line)}\n`, { mode: 0o600 });
    return true;
  } catch {
    return false;
  }
}
