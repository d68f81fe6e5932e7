/**
 * What has to be done before this process ends, or becomes another program: the executable ends as
 * soon as its command has, whatever is still going on.
 */
const tasks = new Set<() => Promise<void>>();

/** Has a task done before the end; whoever has done it earlier takes it back. */
export function beforeExit(task: () => Promise<void>): Disposable {
  tasks.add(task);
  return {
    [Symbol.dispose]: () => {
      tasks.delete(task);
    },
  };
}

/** Does what is left to do. What goes wrong then can change nothing any more, and is not told. */
export async function runExitTasks(): Promise<void> {
  const left = [...tasks];
  tasks.clear();
  await Promise.allSettled(left.map((task) => task()));
}
