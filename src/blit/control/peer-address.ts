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
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  const canonical = new URL(`http://[${plain}]/`).hostname.slice(1, -1);
  const words = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (words === null) return canonical;
  const bits =
    ((Number.parseInt(words[1] ?? "", 16) << 16) | Number.parseInt(words[2] ?? "", 16)) >>> 0;
  return [bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255].join(".");
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
