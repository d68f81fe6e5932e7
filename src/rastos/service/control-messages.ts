/** What the command line and rinit say to each other: a line of JSON each. */
import type { ShutdownKind } from "./late.ts";

/** Where rinit listens. */
export const CONTROL_SOCKET = "/run/rinit.sock";

/** A request. */
export type ControlRequest =
  | { readonly verb: "status"; readonly names: readonly string[] }
  | {
      readonly verb: "start" | "stop" | "restart";
      readonly names: readonly string[];
      /** Answers when all of them have come to rest. */
      readonly wait: boolean;
    }
  /** Services read their configuration again. */
  | { readonly verb: "reload"; readonly names: readonly string[] }
  /** rinit reads the service files again. */
  | { readonly verb: "reread" }
  | { readonly verb: "health" }
  | { readonly verb: "shutdown"; readonly how: ShutdownKind };

/** One service, as `status` tells it. */
export interface ServiceStatus {
  readonly name: string;
  readonly description: string;
  readonly type: string;
  /** As in `Phase`. */
  readonly state: string;
  readonly reason: string | undefined;
  readonly pid: number | undefined;
  readonly upMs: number | undefined;
  readonly restarts: number;
  readonly lastExit: { readonly code?: number; readonly signal?: string } | undefined;
  readonly memoryBytes: number | undefined;
  readonly enabled: boolean;
  /** What it says of itself (STATUS= of sd_notify(3)). */
  readonly says: string | undefined;
  readonly tty: string | undefined;
  /** Other processes of its session, such as those of a login. */
  readonly session: readonly { readonly pid: number; readonly name: string }[];
  /** File of what it prints. */
  readonly log: string;
}

/** A service, and what its health command says. */
export interface HealthResult {
  readonly service: string;
  readonly isGood: boolean;
  readonly reason: string | undefined;
}

/** rinit itself. */
export interface SystemStatus {
  readonly pid: number;
  readonly version: string;
  readonly target: string;
  /** Whether it is on its way down. */
  readonly isStopping: boolean;
  readonly memoryBytes: number | undefined;
  readonly upMs: number;
  /** Service files that cannot be used. */
  readonly problems: readonly string[];
}

/** An answer. */
export type ControlReply =
  | {
      readonly ok: true;
      readonly services?: readonly ServiceStatus[];
      readonly system?: SystemStatus;
      readonly health?: readonly HealthResult[];
      readonly changed?: readonly string[];
    }
  | {
      readonly ok: false;
      readonly code: "E_NOT_FOUND" | "E_REFUSED" | "E_USAGE";
      readonly message: string;
      readonly names?: readonly string[];
    };

const VERBS = ["status", "start", "stop", "restart", "reload", "reread", "health", "shutdown"];
const NAMES_MAX = 1000;

/** Reads a request; undefined where it is none. */
export function parseRequest(line: string): ControlRequest | undefined {
  let value: Record<string, unknown>;
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed !== "object" || parsed === null) return undefined;
    value = parsed as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const { verb, names = [], how } = value;
  if (typeof verb !== "string" || !VERBS.includes(verb)) return undefined;
  if (!Array.isArray(names) || names.length > NAMES_MAX) return undefined;
  if (!names.every((name) => typeof name === "string")) return undefined;
  if (verb === "shutdown") {
    if (how !== "poweroff" && how !== "reboot" && how !== "halt" && how !== "kexec") {
      return undefined;
    }
    return { verb, how };
  }
  return { verb, names, wait: value["wait"] === true } as ControlRequest;
}
