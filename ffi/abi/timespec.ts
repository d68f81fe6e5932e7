/** struct timespec[2] as utimensat(2) takes it, on 64-bit systems: seconds i64, nanoseconds i64. */
export const TIMESPEC_LAYOUT = { size: 16, sec: 0, nsec: 8 } as const;
