/** Constants and structures of sockets, equal on x64 and arm64: socket(7), tcp(7), poll(2). */

/** Address families and types of socket(2). */
export const SOCKET = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_STREAM: 1,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
} as const;

/** Levels and names of options: setsockopt(2). */
export const SOCKET_OPTION = {
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  SO_RCVLOWAT: 18,
  IPPROTO_TCP: 6,
  TCP_NODELAY: 1,
  TCP_CONGESTION: 13,
  TCP_ULP: 31,
} as const;

/** Flags of send(2) and recv(2). */
export const MSG = { PEEK: 2, DONTWAIT: 0x40, NOSIGNAL: 0x4000, MORE: 0x8000 } as const;

/** shutdown(2). */
export const SHUT = { RD: 0, WR: 1, RDWR: 2 } as const;

/** Events of poll(2). */
export const POLL = { IN: 1, OUT: 4, ERR: 8, HUP: 16 } as const;

/** struct pollfd. */
export const POLLFD_LAYOUT = { size: 8, fd: 0, events: 4, revents: 6 } as const;

/** struct sockaddr_in: ip(7). Port and address are big-endian. */
export const SOCKADDR_IN_LAYOUT = { size: 16, family: 0, port: 2, address: 4 } as const;

/** struct sockaddr_in6: ipv6(7). */
export const SOCKADDR_IN6_LAYOUT = {
  size: 28,
  family: 0,
  port: 2,
  address: 8,
  scope: 24,
} as const;
