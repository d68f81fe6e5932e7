/**
 * The `file:` URL of a path. By node:url, since `Bun.pathToFileURL` takes a backslash for a slash
 * everywhere; loaded here alone, because few commands name a path by URL and it costs all of them.
 */
export function fileUrlOf(path: string): string {
  return process.getBuiltinModule("node:url").pathToFileURL(path).href;
}
