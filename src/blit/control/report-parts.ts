import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Action, Issue } from "../engine/options.ts";
import type { PassReport, SourceReport } from "../session/types.ts";
import { countsFromMessage } from "./messages.ts";
import type {
  Action as ActionMessage,
  ActionSchema,
  Issue as IssueMessage,
  IssueSchema,
  PassReport as PassMessage,
  PassReportSchema,
  SourceReport as SourceMessage,
  SourceReportSchema,
} from "./proto/blit_pb.js";
import { bytesOfPath, pathOfBytes, safeNumber, violation } from "./wire-values.ts";

/**
 * Reports of passes as messages. A plan has a line for each entry: it comes in parts, so that no
 * message is longer than the control plane allows.
 */

/** Of one part: far below MESSAGE_BYTES_MAX also with one path of PATH_BYTES_MAX more. */
const PART_BYTES = 1024 * 1024;

/** All parts together; the session's own limits are lower. */
const ISSUES_MAX = 1_000_000;
const ACTIONS_MAX = 20_000_000;
const TEXT_LENGTH_MAX = 64 * 1024;

const ISSUE_KINDS = ["failed", "vanished", "skipped", "attributes", "warning"] as const;
const ACTION_NAMES = [
  "copy",
  "replace",
  "delete",
  "folder",
  "link",
  "attributes",
  "special",
  "move",
] as const;

type IssueInit = MessageInitShape<typeof IssueSchema>;
type ActionInit = MessageInitShape<typeof ActionSchema>;

/** The messages of one report, in the order in which they are sent. */
export function* sourceReportParts(
  report: SourceReport,
): Generator<MessageInitShape<typeof SourceReportSchema>> {
  for (const issues of slices(report.issues, issueBytes)) {
    yield { issues: issues.map(issueToMessage), hasMore: true };
  }
  const { counts, listingErrors, cancelled } = report;
  yield { counts: [...counts], listingErrors: BigInt(listingErrors), cancelled };
}

/** The messages of one report, in the order in which they are sent. */
export function* passReportParts(
  report: PassReport,
): Generator<MessageInitShape<typeof PassReportSchema>> {
  for (const issues of slices(report.issues, issueBytes)) {
    yield { issues: issues.map(issueToMessage), hasMore: true };
  }
  for (const actions of slices(report.actions, actionBytes)) {
    yield { actions: actions.map(actionToMessage), hasMore: true };
  }
  yield {
    counts: [...report.counts],
    deletable: BigInt(report.deletable),
    deletionsSkipped: report.deletionsSkipped ?? "",
    needsAnotherPass: report.needsAnotherPass,
    cancelled: report.cancelled,
  };
}

/** Puts reports together again. */
export class SourceReportReader {
  #issues: Issue[] = [];

  /**
   * @returns the report with its last part, else undefined
   * @throws Fault E_INTEGRITY
   */
  add(part: SourceMessage): SourceReport | undefined {
    append(this.#issues, part.issues.map(issueFromMessage), ISSUES_MAX, "issues");
    if (part.hasMore) return undefined;
    const issues = this.#issues;
    this.#issues = [];
    return {
      counts: countsFromMessage(part.counts),
      issues,
      listingErrors: safeNumber(part.listingErrors, "a number of errors"),
      cancelled: part.cancelled,
    };
  }
}

/** Puts reports together again. */
export class PassReportReader {
  #issues: Issue[] = [];
  #actions: Action[] = [];

  /**
   * @returns the report with its last part, else undefined
   * @throws Fault E_INTEGRITY
   */
  add(part: PassMessage): PassReport | undefined {
    append(this.#issues, part.issues.map(issueFromMessage), ISSUES_MAX, "issues");
    append(this.#actions, part.actions.map(actionFromMessage), ACTIONS_MAX, "actions");
    if (part.hasMore) return undefined;
    const [issues, actions] = [this.#issues, this.#actions];
    this.#issues = [];
    this.#actions = [];
    return {
      counts: countsFromMessage(part.counts),
      issues,
      actions,
      deletable: safeNumber(part.deletable, "a number of deletions"),
      deletionsSkipped: part.deletionsSkipped === "" ? undefined : part.deletionsSkipped,
      needsAnotherPass: part.needsAnotherPass,
      cancelled: part.cancelled,
    };
  }
}

export function issueToMessage(issue: Issue): IssueInit {
  return {
    kind: issue.kind,
    root: issue.root,
    path: bytesOfPath(issue.path),
    code: issue.code,
    call: issue.call ?? "",
    message: issue.message,
  };
}

/** @throws Fault E_INTEGRITY */
export function issueFromMessage(message: IssueMessage): Issue {
  const kind = ISSUE_KINDS.find((known) => known === message.kind);
  if (kind === undefined) throw violation("an issue of an unknown kind");
  return {
    kind,
    root: message.root,
    path: pathOfBytes(message.path, "a path"),
    code: shortText(message.code),
    call: message.call === "" ? undefined : shortText(message.call),
    message: shortText(message.message),
  };
}

function actionToMessage(action: Action): ActionInit {
  return {
    action: action.action,
    root: action.root,
    path: bytesOfPath(action.path),
    bytes: BigInt(action.bytes),
  };
}

function actionFromMessage(message: ActionMessage): Action {
  const action = ACTION_NAMES.find((known) => known === message.action);
  if (action === undefined) throw violation("an unknown action");
  return {
    action,
    root: message.root,
    path: pathOfBytes(message.path, "a path"),
    bytes: safeNumber(message.bytes, "a size"),
  };
}

function shortText(text: string): string {
  if (text.length > TEXT_LENGTH_MAX) throw violation(`a text of ${text.length} characters`);
  return text;
}

/** Lists of about PART_BYTES each; none for an empty one. */
function* slices<T>(list: readonly T[], bytesOf: (item: T) => number): Generator<T[]> {
  let slice: T[] = [];
  let bytes = 0;
  for (const item of list) {
    slice.push(item);
    bytes += bytesOf(item);
    if (bytes < PART_BYTES) continue;
    yield slice;
    slice = [];
    bytes = 0;
  }
  if (slice.length > 0) yield slice;
}

// UTF-8 of a latin1 text takes twice its length at most; 32 for tags, lengths and numbers.
function issueBytes(issue: Issue): number {
  return 32 + issue.path.length + 3 * issue.message.length + 2 * issue.code.length;
}

function actionBytes(action: Action): number {
  return 32 + action.path.length;
}

function append<T>(to: T[], items: readonly T[], max: number, what: string): void {
  if (to.length + items.length > max) throw violation(`more than ${max} ${what}`);
  for (const item of items) to.push(item);
}
