import { isIPv4, isIPv6 } from "node:net";

/**
 * One spelling for each numeric address, so that two of them can be compared as text: IPv4
 * addresses that came through an IPv6 socket (RFC 4291, 2.5.5.2) lose their prefix, IPv6 addresses
 * are compressed as RFC 5952 asks, without zone. What is no address stays as it is, which equals
 * no other.
 */
export function canonicalAddress(address: string): string {
  if (isIPv4(address)) return address;
  const plain = address.replace(/%.*$/, "");
  if (!isIPv6(plain)) return address;
  const hostname = `[${plain.replace(/[\d.]+$/, wordsOfQuad)}]`;
  const canonical = URL.parse(`http://${hostname}/`)?.hostname.slice(1, -1);
  if (canonical === undefined) return address;
  const words = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  const [high, low] = [words?.[1], words?.[2]];
  if (high === undefined || low === undefined) return canonical;
  return [high, low]
    .map((word) => Number.parseInt(word, 16))
    .flatMap(bytesOfWord)
    .join(".");
}

/** "192.0.2.1" as "c000:201"; what is no such end of an address stays. */
function wordsOfQuad(end: string): string {
  if (!isIPv4(end)) return end;
  const [a = 0, b = 0, c = 0, d = 0] = end.split(".").map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

function bytesOfWord(word: number): number[] {
  return [word >>> 8, word & 0xff];
}

/** Whether the address is of this machine alone. */
export function isLoopback(address: string): boolean {
  const canonical = canonicalAddress(address);
  return canonical === "::1" || (isIPv4(canonical) && canonical.startsWith("127."));
}

/** Host and port as they stand in messages and URLs: IPv6 in brackets. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
