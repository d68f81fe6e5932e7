import { isIPv4, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { SOCKADDR_IN_LAYOUT, SOCKADDR_IN6_LAYOUT, SOCKET } from "../../../ffi/abi/socket.ts";

/**
 * The bytes of a struct sockaddr_in or sockaddr_in6 for a numeric address; an IPv6 address may
 * have a zone, as in `fe80::1%eth0`.
 * @returns undefined where the text is no such address
 */
export function socketAddress(address: string, port: number): Uint8Array | undefined {
  if (isIPv4(address)) return addressV4(address, port);
  const [plain = "", zone] = address.split("%", 2);
  return isIPv6(plain) ? addressV6(plain, zone, port) : undefined;
}

/** The family of an address that `socketAddress` has made. */
export function familyOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer).getUint16(0, true);
}

function addressV4(address: string, port: number): Uint8Array {
  const bytes = new Uint8Array(SOCKADDR_IN_LAYOUT.size);
  const view = new DataView(bytes.buffer);
  view.setUint16(SOCKADDR_IN_LAYOUT.family, SOCKET.AF_INET, true);
  view.setUint16(SOCKADDR_IN_LAYOUT.port, port, false);
  for (const [index, part] of address.split(".").entries()) {
    bytes[SOCKADDR_IN_LAYOUT.address + index] = Number(part);
  }
  return bytes;
}

function addressV6(address: string, zone: string | undefined, port: number): Uint8Array {
  const bytes = new Uint8Array(SOCKADDR_IN6_LAYOUT.size);
  const view = new DataView(bytes.buffer);
  view.setUint16(SOCKADDR_IN6_LAYOUT.family, SOCKET.AF_INET6, true);
  view.setUint16(SOCKADDR_IN6_LAYOUT.port, port, false);
  for (const [index, word] of wordsOf(address).entries()) {
    view.setUint16(SOCKADDR_IN6_LAYOUT.address + 2 * index, word, false);
  }
  view.setUint32(SOCKADDR_IN6_LAYOUT.scope, scopeOf(zone), true);
  return bytes;
}

/** The eight words of an address that is known to be well-formed. */
function wordsOf(address: string): number[] {
  // WHATWG's URL compresses every spelling to one form without dots.
  const plain = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = "", tail] = plain.split("::", 2);
  const words = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((word) => Number.parseInt(word, 16));
  if (tail === undefined) return words(head);
  const [before, after] = [words(head), words(tail)];
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function scopeOf(zone: string | undefined): number {
  if (zone === undefined) return 0;
  if (/^[0-9]+$/.test(zone)) return Number(zone);
  const found = networkInterfaces()[zone]?.find((each) => (each.scopeid ?? 0) > 0);
  return found?.scopeid ?? 0;
}
