import type { FaultCode } from "./codes.ts";
import { FAULT_CODES, isFaultCode } from "./codes.ts";

/** What a {@link Fault} is made of. */
export interface FaultOptions {
  readonly code: FaultCode;
  /** Action first, the value quoted, no full stop: `Cannot read "a.txt": permission denied`. */
  readonly message: string;
  /** What to do about it: a sentence without full stop; it gets a line of its own. */
  readonly hint?: string | undefined;
  /** What brought it about; shown as `cause:` where it says something new. */
  readonly cause?: unknown;
  /** Lines of another program's output that tell why; shown below the message as they are. */
  readonly excerpt?: readonly string[] | undefined;
  /** Overrides the exit code of the catalogue. */
  readonly exit?: number | undefined;
  /** Data for `--json` and for callers; must survive JSON. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** A fault as plain data, as it crosses from a worker to the main thread. */
export interface FaultJson {
  readonly code: FaultCode;
  readonly message: string;
  readonly hint?: string;
  readonly excerpt?: readonly string[];
  readonly exit: number;
  readonly details: Readonly<Record<string, unknown>>;
  /** Messages of the causes, outermost first, at most {@link CAUSES_MAX}. */
  readonly causes: readonly string[];
}

const CAUSES_MAX = 5;

/**
 * An expected failure: something that a user can run into and can be told about. Everything else
 * that is thrown is a bug and ends the command with exit code 3.
 */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly hint: string | undefined;
  readonly excerpt: readonly string[];
  readonly exit: number;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(options: FaultOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Fault";
    this.code = options.code;
    this.hint = options.hint;
    this.excerpt = options.excerpt ?? [];
    this.exit = options.exit ?? FAULT_CODES[options.code].exit;
    this.details = options.details ?? {};
  }

  /** The fault as plain data; {@link faultFromJson} is the way back. */
  toJson(): FaultJson {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.excerpt.length === 0 ? {} : { excerpt: this.excerpt }),
      exit: this.exit,
      details: this.details,
      causes: causeMessages(this),
    };
  }
}

/**
 * Rebuilds a fault from {@link Fault.toJson}, or from anything that a worker has thrown: what is no
 * fault becomes `E_BUG`.
 */
export function faultFromJson(value: unknown): Fault {
  const record = typeof value === "object" && value !== null ? (value as Partial<FaultJson>) : {};
  if (!isFaultCode(record.code) || typeof record.message !== "string") {
    return new Fault({
      code: "E_BUG",
      message: `Unexpected failure in a worker: ${asText(value)}`,
    });
  }
  return new Fault({
    code: record.code,
    message: record.message,
    hint: record.hint,
    excerpt: record.excerpt,
    exit: record.exit,
    details: record.details,
    cause: causeChain(record.causes ?? []),
  });
}

/** The messages of `error.cause`, `error.cause.cause` and so on, outermost first. */
export function causeMessages(error: Error): string[] {
  const messages: string[] = [];
  let cause: unknown = error.cause;
  while (cause !== undefined && messages.length < CAUSES_MAX) {
    messages.push(asText(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return messages;
}

function causeChain(messages: readonly string[]): Error | undefined {
  return messages
    .slice(0, CAUSES_MAX)
    .reduceRight<Error | undefined>(
      (inner, message) => new Error(message, inner === undefined ? undefined : { cause: inner }),
      undefined,
    );
}

function asText(value: unknown): string {
  return value instanceof Error ? value.message : String(value);
}
