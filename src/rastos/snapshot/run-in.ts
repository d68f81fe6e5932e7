import { Fault } from "../../kit/fault/fault.ts";

/** A program to run in a clone. */
export interface RunInOptions {
  /** Absolute path of the clone's root. */
  readonly path: string;
  /** The program and its arguments; undefined: a login shell. */
  readonly command: readonly string[] | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** How a program in a clone has ended. */
export interface RunInResult {
  /** Its exit code; 128 + signal when a signal ended it. */
  readonly code: number;
  /** Ctrl-C or SIGTERM came: whatever it says, it was not meant to end well. */
  readonly interruptedBy: "SIGINT" | "SIGTERM" | undefined;
}

/** What the program finds in its environment of ours. */
const PASSED_ON = ["TERM", "LANG", "LC_ALL", "COLORTERM", "http_proxy", "https_proxy", "no_proxy"];

/**
 * The first process of the clone: it makes its mounts, in a mount namespace that ends with it, and
 * waits, so that nothing that the program leaves running outlives it. A link in the place of a
 * mount point is left alone, because it may lead out of the clone.
 */
const SCRIPT = `
set -e
root=$1
shift
is_place() { [ -d "$root/$1" ] && [ ! -L "$root/$1" ]; }
mount --bind "$root" "$root"
if is_place proc; then mount -t proc proc "$root/proc"; fi
if is_place sys; then mount -t sysfs -o ro sysfs "$root/sys" 2>/dev/null || :; fi
if is_place dev; then mount --rbind /dev "$root/dev"; fi
if is_place run; then mount -t tmpfs -o mode=755 tmpfs "$root/run"; fi
if is_place tmp; then mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"; fi
resolv="$root/etc/resolv.conf"
if [ -f "$resolv" ] && [ ! -L "$resolv" ] && [ -f /etc/resolv.conf ]; then
  mount --bind /etc/resolv.conf "$resolv"
fi
trap : INT
set +e
chroot "$root" "$@"
exit $?
`;

const SHELL = ["/bin/sh", "-c", "[ -x /bin/bash ] && exec /bin/bash -l; exec /bin/sh -l"];

/**
 * Runs a program with a clone as its root: with /proc, /sys and /dev, an empty /run and /tmp, and
 * process numbers of its own. Terminal and streams are the caller's.
 *
 * @throws {Fault} E_NOT_FOUND where unshare or chroot is not installed
 */
export async function runIn(options: RunInOptions): Promise<RunInResult> {
  const [unshare, chroot] = ["unshare", "chroot"].map((name) => Bun.which(name, { PATH }));
  if (!unshare || !chroot) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot run anything in a clone: ${unshare ? "chroot" : "unshare"} is not installed`,
      hint: "install util-linux and coreutils",
    });
  }
  const isolation = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"];
  const command = options.command ?? SHELL;
  let interruptedBy: RunInResult["interruptedBy"];
  const child = Bun.spawn(
    [unshare, ...isolation, "sh", "-c", SCRIPT, "sh", options.path, ...command],
    { stdio: ["inherit", "inherit", "inherit"], env: environmentOf(options.environment) },
  );
  // From a terminal the program has got it as well, and may need a moment; a second one ends it.
  const onInterrupt = (): void => {
    if (interruptedBy !== undefined) child.kill("SIGKILL");
    interruptedBy ??= "SIGINT";
  };
  const onTerminate = (): void => {
    interruptedBy ??= "SIGTERM";
    child.kill("SIGKILL");
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onTerminate);
  try {
    await child.exited;
  } finally {
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onTerminate);
  }
  return { code: codeOf(child), interruptedBy };
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function environmentOf(own: RunInOptions["environment"]): Record<string, string> {
  const environment: Record<string, string> = { PATH, HOME: "/root", USER: "root" };
  for (const name of PASSED_ON) {
    const value = own[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

function codeOf(child: Bun.Subprocess): number {
  if (child.exitCode !== null) return child.exitCode;
  const numbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9 };
  return 128 + (numbers[child.signalCode ?? ""] ?? 15);
}
