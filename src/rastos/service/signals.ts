/** Signals by name, of x64 and arm64: signal(7). */
export const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
};

const names = new Map(Object.entries(SIGNALS).map(([name, number]) => [number, name]));

/** The number of "SIGHUP", "HUP", "RTMIN+3" or "15"; undefined where it is no signal. */
export function signalNumber(text: string): number | undefined {
  const upper = text.toUpperCase().replace(/^SIG/, "");
  const realtime = /^RTMIN(?:\+(\d{1,2}))?$/.exec(upper);
  if (realtime !== null) return inRange(34 + Number(realtime[1] ?? 0));
  if (/^\d{1,2}$/.test(upper)) return inRange(Number(upper));
  return SIGNALS[`SIG${upper}`];
}

/** "SIGTERM", or "SIGRTMIN+3". */
export function signalName(number: number): string {
  const name = names.get(number);
  if (name !== undefined) return name;
  return number >= 34 ? `SIGRTMIN+${number - 34}` : `signal ${number}`;
}

function inRange(number: number): number | undefined {
  return number >= 1 && number <= 64 ? number : undefined;
}
