import { Fault } from "../../kit/fault/fault.ts";
import { RootFolder } from "../../kit/fs/root-folder.ts";

/** A program to run in a root. */
export interface RootProgram {
  readonly argv: readonly string[];
  /** Added to a small environment; nothing else of ours is seen in it. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Each line that it prints, stdout and stderr. */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** How a program has ended. */
export interface ProgramEnd {
  /** Exit code; 128 + signal where one has ended it. */
  readonly code: number;
  /** The last lines that it has printed. */
  readonly lines: readonly string[];
}

const LINES_KEPT = 20;
const LINE_LENGTH_MAX = 2000;

const PLACES = ["proc", "sys", "dev", "run", "tmp"] as const;

/**
 * What is needed around a program, in a mount namespace of its own: nothing of it is seen outside,
 * and all of it is gone with the last process. /dev has what programs count on, and no disk. The
 * shell stays as the first process: signals to that one mean nothing.
 */
const SET_UP = `
set -e
root=$1
shift
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys" 2>/dev/null || :
mount -t tmpfs -o mode=755,nosuid tmpfs "$root/dev"
node() { mknod -m 666 "$root/dev/$1" c "$2" "$3"; }
node null 1 3; node zero 1 5; node full 1 7; node random 1 8; node urandom 1 9; node tty 5 0
mkdir "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"; ln -s fd/1 "$root/dev/stdout"; ln -s fd/2 "$root/dev/stderr"
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$root/run"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/tmp"
resolv="$root/etc/resolv.conf"
if [ -f "$resolv" ] && [ ! -L "$resolv" ] && [ -f /etc/resolv.conf ]; then
  mount --bind -o ro /etc/resolv.conf "$resolv"
fi
cd "$root"
set +e
chroot "$root" "$@"
exit $?
`;

/**
 * Runs a program as root in a root folder, with mounts and processes of its own: what it starts
 * ends with it, and with us.
 *
 * @throws {Fault} E_REFUSED where the root has links in the place of folders such as /proc,
 *   E_NOT_FOUND without unshare(1), E_INTERRUPTED
 */
export async function runInRoot(folder: string, program: RootProgram): Promise<ProgramEnd> {
  prepare(folder);
  const child = Bun.spawn([...wrapper(), "/bin/sh", "-c", SET_UP, "sh", folder, ...program.argv], {
    cwd: "/",
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: "/root",
      LANG: "C.UTF-8",
      ...program.environment,
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const kill = (): void => child.kill("SIGKILL");
  program.signal?.addEventListener("abort", kill, { once: true });
  const kept: string[] = [];
  const onLine = (line: string): void => {
    kept.push(line);
    if (kept.length > LINES_KEPT) kept.shift();
    program.onLine?.(line);
  };
  try {
    await Promise.all([linesOf(child.stdout, onLine), linesOf(child.stderr, onLine), child.exited]);
  } finally {
    program.signal?.removeEventListener("abort", kill);
  }
  if (program.signal?.aborted === true) {
    throw new Fault({ code: "E_INTERRUPTED", message: "Interrupted" });
  }
  return { code: child.exitCode ?? 128 + signalNumber(child.signalCode), lines: kept };
}

/** Folders to mount on; a link in their place would have the mounts end up elsewhere. */
function prepare(folder: string): void {
  using root = RootFolder.open(folder);
  for (const name of PLACES) {
    const kind = root.status(name)?.kind;
    if (kind === undefined) root.makeFolder(name, { mode: name === "tmp" ? 0o1777 : 0o755 });
    else if (kind !== "folder") {
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot run programs in "${folder}": its /${name} is no folder`,
      });
    }
  }
}

function wrapper(): string[] {
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/bin:/sbin:/bin`;
  const unshare = Bun.which("unshare", { PATH: path });
  if (unshare === null) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: "Cannot run hooks: the program unshare is missing",
      hint: "install util-linux",
    });
  }
  // If we are killed, so is it, and with it all that it has started.
  const setpriv = Bun.which("setpriv", { PATH: path });
  const bound = setpriv === null ? [] : [setpriv, "--pdeathsig", "KILL"];
  const own = ["--mount", "--propagation", "private", "--pid", "--fork", "--uts", "--ipc"];
  return [...bound, unshare, ...own, "--kill-child"];
}

async function linesOf(
  stream: ReadableStream<Uint8Array>,
  onLine: (line: string) => void,
): Promise<void> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = (parts.pop() ?? "").slice(0, LINE_LENGTH_MAX);
    for (const part of parts) onLine(part.slice(0, LINE_LENGTH_MAX));
  }
  if (rest !== "") onLine(rest);
}

function signalNumber(name: NodeJS.Signals | number | null): number {
  const numbers: Readonly<Record<string, number>> = { SIGKILL: 9, SIGTERM: 15, SIGSEGV: 11 };
  return typeof name === "number" ? name : (numbers[name ?? ""] ?? 1);
}
