/**
 * struct sigaction as the C library's sigaction(2) takes it, on Linux with glibc and musl: the
 * handler, a mask of 1024 signals, flags.
 */
export const SIGACTION_LAYOUT = { size: 152, handler: 0, flags: 136 } as const;

/** Flags of sigaction(2). */
export const SA = { RESETHAND: 0x80000000 } as const;

/** Numbers of signals, equal on x64 and arm64: signal(7). */
export const SIG = { INT: 2, PIPE: 13, TERM: 15 } as const;
