/** Numbers of system calls that `ffi/spawn` runs by number: asm/unistd.h of x64 and of arm64. */
const arm64 = process.arch === "arm64";

export const NR = {
  chdir: arm64 ? 49 : 80,
  close: arm64 ? 57 : 3,
  dup3: arm64 ? 24 : 292,
  execve: arm64 ? 221 : 59,
  fcntl: arm64 ? 25 : 72,
  ioctl: arm64 ? 29 : 16,
  openat: arm64 ? 56 : 257,
  prctl: arm64 ? 167 : 157,
  prlimit64: arm64 ? 261 : 302,
  rt_sigaction: arm64 ? 134 : 13,
  rt_sigprocmask: arm64 ? 135 : 14,
  setgid: arm64 ? 144 : 106,
  setgroups: arm64 ? 159 : 116,
  setpriority: arm64 ? 140 : 141,
  setsid: arm64 ? 157 : 112,
  setuid: arm64 ? 146 : 105,
  umask: arm64 ? 166 : 95,
  write: arm64 ? 64 : 1,
} as const;
