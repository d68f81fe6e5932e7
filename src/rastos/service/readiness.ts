import { existsSync } from "node:fs";
import { sys } from "../../../ffi/sys.ts";

/** How a service is seen to be ready; `notify` is not here: it speaks up by itself. */
export interface ReadyRule {
  readonly tcp?: string | undefined;
  readonly file?: string | undefined;
  readonly command?: readonly string[] | undefined;
  readonly delay?: number | undefined;
  readonly fd?: number | undefined;
}

/** What a watch needs of the world. */
export interface ReadyHooks {
  onReady(): void;
  /** Runs a command, and tells whether it ended with 0. */
  runCommand(command: readonly string[], done: (isGood: boolean) => void): void;
}

/** First and longest pause between two looks; only while a service starts. */
const FIRST_MS = 20;
const MOST_MS = 500;

/**
 * Watches for a service to become ready.
 *
 * @param readyPipe our end of the pipe of a rule with `fd`; closed here
 * @returns stops watching
 */
export function watchReadiness(
  rule: ReadyRule,
  hooks: ReadyHooks,
  readyPipe: number | undefined,
): () => void {
  if (rule.delay !== undefined) {
    const timer = setTimeout(hooks.onReady, rule.delay);
    return () => clearTimeout(timer);
  }
  if (readyPipe !== undefined) return watchPipe(readyPipe, hooks);
  if (rule.file !== undefined) {
    const path = rule.file;
    return lookAgain((found) => found(existsSync(path)), hooks);
  }
  if (rule.tcp !== undefined) {
    const address = rule.tcp;
    return lookAgain((found) => tryConnection(address, found), hooks);
  }
  const { command } = rule;
  if (command === undefined) return () => undefined;
  return lookAgain((found) => hooks.runCommand(command, found), hooks);
}

/** Looks, and looks again after ever longer pauses, until it is there. */
function lookAgain(look: (found: (isThere: boolean) => void) => void, hooks: ReadyHooks) {
  let pauseMs = FIRST_MS;
  let isOver = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const once = (): void => {
    if (isOver) return;
    look((isThere) => {
      if (isOver) return;
      if (isThere) {
        isOver = true;
        hooks.onReady();
        return;
      }
      timer = setTimeout(once, pauseMs);
      pauseMs = Math.min(pauseMs * 1.5, MOST_MS);
    });
  };
  // Not at once: nothing is ready the moment that it starts.
  timer = setTimeout(once, pauseMs);
  return (): void => {
    isOver = true;
    clearTimeout(timer);
  };
}

function tryConnection(address: string, found: (isThere: boolean) => void): void {
  const colon = address.lastIndexOf(":");
  const hostname = colon < 0 ? "127.0.0.1" : address.slice(0, colon).replace(/^\[|\]$/g, "");
  const port = Number(address.slice(colon + 1));
  let isTold = false;
  const tell = (isThere: boolean): void => {
    if (!isTold) found(isThere);
    isTold = true;
  };
  const socket = {
    open: (open: { end(): void }) => {
      open.end();
      tell(true);
    },
    data: () => undefined,
    connectError: () => tell(false),
  };
  Bun.connect({ hostname, port, socket }).catch(() => tell(false));
}

/** Ready once a line comes; an end without one leaves it to the timeout. */
function watchPipe(fd: number, hooks: ReadyHooks): () => void {
  const reader = Bun.file(fd).stream().getReader();
  let isOver = false;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    void reader
      .cancel()
      .catch(() => undefined)
      .finally(() => sys.close(fd));
  };
  const read = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (isOver || done) return;
      if (value.includes(10)) break;
    }
    end();
    hooks.onReady();
  };
  read().catch(() => undefined);
  return end;
}
