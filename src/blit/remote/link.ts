import type { Fault } from "../../kit/fault/fault.ts";
import type {
  PassPurpose,
  PassReport,
  SessionOptions,
  SessionProgress,
  SourceReport,
  SourceRoot,
} from "../session/types.ts";

/** How the content of a transfer goes from one side to the other. */
export type Transport =
  /** Connections of its own, in clear or encrypted. */
  | "tcp"
  /** The same over RDMA. */
  | "rdma"
  /** Through the control connection. */
  | "grpc"
  /** From one daemon to the other. */
  | "direct"
  /** From one daemon to the other, through this machine. */
  | "relay";

/** Both sides of a pass. */
export type PassOutcome = { readonly source: SourceReport; readonly target: PassReport };

/** What both sides have counted so far; undefined where one has not said anything yet. */
export type LinkProgress = {
  readonly source: SessionProgress | undefined;
  readonly target: SessionProgress | undefined;
};

/** A transfer between two sides of which at least one is a daemon, seen from this machine. */
export type Link = {
  readonly transport: Transport;
  readonly streams: number;
  readonly isEncrypted: boolean;
  readonly roots: readonly SourceRoot[];
  /** Where the target lies, as its own side says it, latin1. */
  readonly shownTarget: string;
  readonly sourceFs: string;
  readonly targetFs: string;
  /**
   * Runs one pass on both sides.
   * @param agreedDeletions undefined: any number
   * @throws {Fault} what ended the transfer
   */
  runPass(purpose: PassPurpose, agreedDeletions: number | undefined): Promise<PassOutcome>;
  progress(): LinkProgress;
  /** Stops both sides soon; whole files stay. */
  cancel(reason: number): void;
  /** Ends the session in good order. */
  finish(): Promise<void>;
  /** Gives everything back, whatever state it is in. */
  close(): Promise<void>;
};

/** What opening a link needs to know. */
export type LinkRequest = {
  readonly options: SessionOptions;
  readonly forceGrpcData: boolean;
  readonly signal: AbortSignal;
  /** Tells the user something once. */
  readonly warn: (text: string, hint?: string) => void;
};

/** What went wrong first: what a daemon says about it comes a moment after its sockets close. */
export const LATE_REASON_MS = 1000;

/** Whether a fault may only be the echo of one on the other side. */
export function mayBeEcho(fault: Pick<Fault, "code">): boolean {
  return fault.code === "E_NETWORK" || fault.code === "E_INTERRUPTED";
}
