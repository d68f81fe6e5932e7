import type { Login } from "../../kit/http/netrc.ts";

/** Somebody may have to unlock it by hand. */
const ANSWER_MS_MAX = 120_000;

/**
 * Asks the `keyring` command, as pip does with `--keyring-provider subprocess`. Undefined when it
 * is not there, knows nothing, or takes too long.
 *
 * @param place an index's URL, or a host
 */
export async function askKeyring(
  place: string,
  username: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Login | undefined> {
  const path = environment["PATH"];
  const program = Bun.which("keyring", path === undefined ? {} : { PATH: path });
  if (program === null) return undefined;
  const args =
    username === undefined ? ["--mode", "creds", "get", place] : ["get", place, username];
  const child = Bun.spawn([program, ...args], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
    timeout: ANSWER_MS_MAX,
    env: withoutRuntime(environment),
  });
  const text = await child.stdout.text();
  if ((await child.exited) !== 0) return undefined;
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  if (username !== undefined) {
    return lines[0] === undefined ? undefined : { username, password: lines[0] };
  }
  const [name, password] = lines;
  return name === undefined || password === undefined ? undefined : { username: name, password };
}

/** What turns this executable into something else is not for a child. */
function withoutRuntime(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const { BUN_OPTIONS: _options, BUN_BE_BUN: _bun, ...rest } = environment;
  return rest;
}
