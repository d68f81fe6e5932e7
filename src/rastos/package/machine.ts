/** What `uname -m` says of this machine. */
export function machineName(): string {
  return process.arch === "arm64" ? "aarch64" : "x86_64";
}

/** `$repo` and `$arch` of a server filled in, as pacman.conf(5) has them. */
export function serverUrl(server: string, repository: string, architecture: string): string {
  return server.replaceAll("$repo", repository).replaceAll("$arch", architecture);
}
