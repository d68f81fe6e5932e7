/** A thread of the transfer engine: tasks in, findings out. */
import { whenBound } from "../../../ffi/sys.ts";
import { cheaplyCompiled } from "../engine/compile-cost.ts";
import { copySmall } from "../engine/copy-small.ts";
import { processEntry } from "../engine/entries.ts";
import { forEachName, visitListing } from "../engine/listing.ts";
import type { FromWorker, ToWorker } from "../engine/messages.ts";
import { Runner } from "../engine/runner.ts";
import { SharedState } from "../engine/shared-state.ts";
import { isPlainlyUnchanged } from "../engine/skip-unchanged.ts";
import { Thread } from "../engine/thread.ts";
import { runTask } from "../engine/walk.ts";

declare const self: Worker;

const hot = [isPlainlyUnchanged, processEntry, copySmall, forEachName, visitListing, runTask];
for (const callable of hot) cheaplyCompiled<unknown>(callable);
whenBound(cheaplyCompiled);

let runner: Runner | undefined;
let received = 0;
let isRunning = false;

function post(message: FromWorker): void {
  self.postMessage(message);
}

/** Runs slices until the stack is empty; messages get their turn in between. */
async function work(current: Runner): Promise<void> {
  if (isRunning) return;
  isRunning = true;
  try {
    while (current.slice()) await new Promise((resolve) => setImmediate(resolve));
    isRunning = false;
    post({ kind: "idle", received, openNodes: current.open });
  } catch (error) {
    crash(error);
  }
}

/** An uncaught throw would arrive as one line of text (docs/bun.md): it is told in full here. */
function crash(error: unknown): void {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  post({ kind: "crashed", message, stack: stack ?? "" });
}

function start(message: Extract<ToWorker, { kind: "start" }>): Runner {
  const thread = new Thread(message.index, message.options, new SharedState(message.shared));
  return new Runner(
    thread,
    {
      give: (tasks) => post({ kind: "give", tasks }),
      done: (done) => post({ kind: "done", done }),
      helped: (help, result) => post({ kind: "helped", help, result }),
      found: (found) => post({ kind: "found", found }),
    },
    { shares: true },
  );
}

self.onmessage = (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  received++;
  try {
    if (message.kind === "start") runner = start(message);
    if (runner === undefined) return;
    if (message.kind === "tasks") runner.accept(message.tasks);
    if (message.kind === "done") runner.childDone(message.done);
    if (message.kind === "helped") runner.helped(message.fileId, message.result);
    void work(runner);
  } catch (error) {
    crash(error);
  }
};
