/**
 * Writes to a program's standard input, and waits until it is on its way. What Bun's write() gives
 * back is a promise where the pipe is full, though its type says a number: without waiting for it
 * nobody would catch what it throws when the program has ended.
 *
 * @throws Error EPIPE where nobody reads any more; not always where the program has ended
 */
export async function feed(input: Bun.FileSink, bytes: string | Uint8Array): Promise<void> {
  const written: unknown = input.write(bytes);
  await written;
  await input.flush();
}
