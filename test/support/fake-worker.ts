/** A worker that says what the test wants, and keeps what it is told and how it ends. */
export function fakeWorker<Told, Said>() {
  const posted: Told[] = [];
  const ends: string[] = [];
  const listeners = new Set<() => void>();
  const worker = {
    onmessage: undefined as ((event: { data: Said }) => void) | undefined,
    onerror: undefined,
    addEventListener: (_: string, listener: () => void) => listeners.add(listener),
    removeEventListener: (_: string, listener: () => void) => listeners.delete(listener),
    postMessage: (message: Told) => posted.push(message),
    terminate: () => ends.push("ended"),
  };
  const say = (data: Said): void => worker.onmessage?.({ data });
  const end = (): void => {
    for (const listener of listeners) listener();
  };
  return { worker: worker as unknown as Worker, posted, say, end, ends, listeners };
}
