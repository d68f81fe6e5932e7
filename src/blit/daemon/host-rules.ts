/**
 * Who may connect: lists of addresses, networks and names. What cannot be found out counts against
 * the caller: an unknown name is in no list of allowed hosts, and in every list of denied ones that
 * holds a name (CVE-2026-43617: a failing name server must not open a door).
 */
import { promises as dns } from "node:dns";

/** One line of a list. */
export type HostPattern =
  | { readonly kind: "network"; readonly bytes: Uint8Array; readonly bits: number }
  | { readonly kind: "name"; readonly name: string }
  /** Every name below a domain. */
  | { readonly kind: "domain"; readonly suffix: string };

/** Both lists; `allow` undefined: everybody who is not denied. */
export type HostRules = {
  readonly allow: readonly HostPattern[] | undefined;
  readonly deny: readonly HostPattern[];
};

/** Names and addresses; replaced in tests. */
export type HostResolver = {
  readonly addressesOf: (name: string) => Promise<readonly string[]>;
  readonly namesOf: (address: string) => Promise<readonly string[]>;
};

/** Both lists parsed, or the first text that is no pattern. */
export function parseHostRules(
  allow: readonly string[] | undefined,
  deny: readonly string[],
): HostRules | string {
  const parsed = { allow: [] as HostPattern[], deny: [] as HostPattern[] };
  for (const [list, texts] of [
    [parsed.allow, allow ?? []],
    [parsed.deny, deny],
  ] as const) {
    for (const text of texts) {
      const pattern = parseHostPattern(text);
      if (pattern === undefined) return text;
      list.push(pattern);
    }
  }
  return { allow: allow === undefined ? undefined : parsed.allow, deny: parsed.deny };
}

/** `10.0.0.0/8`, `fd00::/8`, `10.1.2.3`, `host.example`, `*.example` or `.example`. */
export function parseHostPattern(text: string): HostPattern | undefined {
  const [address = "", bits, ...rest] = text.split("/");
  const bytes = parseAddress(address);
  if (bytes !== undefined) {
    const most = bytes.length * 8;
    if (rest.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return undefined;
    const count = bits === undefined ? most : Number(bits);
    return count <= most ? { kind: "network", bytes, bits: count } : undefined;
  }
  const domain = /^\*?(\.[a-z0-9.-]*[a-z0-9])$/i.exec(text);
  if (domain?.[1] !== undefined) return { kind: "domain", suffix: domain[1].toLowerCase() };
  // What looks like an address and is none is a mistake, not a name.
  if (!/^[a-z0-9]([a-z0-9_.-]*[a-z0-9])?$/i.test(text) || /^[\d.]+$/.test(text)) return undefined;
  return { kind: "name", name: text.toLowerCase() };
}

/**
 * Whether the rules refuse an address whatever its name is: known at once, before a connection is
 * answered.
 */
export function isHostRefusedOutright({ allow, deny }: HostRules, address: string): boolean {
  const bytes = parseAddress(address);
  if (bytes === undefined) return allow !== undefined || deny.length > 0;
  const isIn = (pattern: HostPattern): boolean =>
    pattern.kind === "network" && isInNetwork(bytes, pattern.bytes, pattern.bits);
  if (deny.some(isIn)) return true;
  return allow?.every((one) => one.kind === "network" && !isIn(one)) ?? false;
}

/** Whether the rules let an address in. Never throws. */
export async function isHostAllowed(
  rules: HostRules,
  address: string,
  resolver: HostResolver = systemResolver,
): Promise<boolean> {
  if (rules.allow === undefined && rules.deny.length === 0) return true;
  const bytes = parseAddress(address);
  if (bytes === undefined) return false;
  const host = new Host(address, bytes, resolver);
  for (const pattern of rules.deny) {
    if ((await host.matches(pattern)) !== "no") return false;
  }
  if (rules.allow === undefined) return true;
  for (const pattern of rules.allow) {
    if ((await host.matches(pattern)) === "yes") return true;
  }
  return false;
}

type Answer = "yes" | "no" | "unknown";

class Host {
  readonly #address: string;
  readonly #bytes: Uint8Array;
  readonly #resolver: HostResolver;

  constructor(address: string, bytes: Uint8Array, resolver: HostResolver) {
    this.#address = address;
    this.#bytes = bytes;
    this.#resolver = resolver;
  }

  async matches(pattern: HostPattern): Promise<Answer> {
    switch (pattern.kind) {
      case "network":
        return isInNetwork(this.#bytes, pattern.bytes, pattern.bits) ? "yes" : "no";
      case "name":
        return this.#hasName(pattern.name);
      case "domain":
        return this.#isBelow(pattern.suffix);
    }
  }

  /** Whether the name leads to the address. */
  async #hasName(name: string): Promise<Answer> {
    try {
      const addresses = await this.#resolver.addressesOf(name);
      return addresses.some((one) => isSameAddress(one, this.#bytes)) ? "yes" : "no";
    } catch {
      return "unknown";
    }
  }

  /** The owner of an address may give it any name: the name must lead back to it. */
  async #isBelow(suffix: string): Promise<Answer> {
    let names: readonly string[];
    try {
      names = await this.#resolver.namesOf(this.#address);
    } catch {
      return "unknown";
    }
    let answer: Answer = "no";
    for (const name of names.map((one) => one.toLowerCase().replace(/\.$/, ""))) {
      if (!name.endsWith(suffix)) continue;
      const leadsBack = await this.#hasName(name);
      if (leadsBack === "yes") return "yes";
      answer = "unknown";
    }
    return answer;
  }
}

const systemResolver: HostResolver = {
  addressesOf: async (name) => (await dns.lookup(name, { all: true })).map((one) => one.address),
  namesOf: (address) => dns.reverse(address),
};

/** The bytes of an address: 4 or 16; an IPv4 address that is dressed up as IPv6 is IPv4. */
export function parseAddress(text: string): Uint8Array | undefined {
  const bytes = text.includes(":") ? parseIpv6(text) : parseIpv4(text);
  const isMapped =
    bytes?.length === 16 &&
    bytes.subarray(0, 10).every((byte) => byte === 0) &&
    bytes[10] === 0xff &&
    bytes[11] === 0xff;
  return isMapped ? bytes.slice(12) : bytes;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  // A leading zero means octal to some: refused.
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) {
    return undefined;
  }
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? Uint8Array.from(bytes) : undefined;
}

/** RFC 4291 section 2.2, without a zone (`%eth0` names a way, not a host). */
function parseIpv6(address: string): Uint8Array | undefined {
  let text = address.replace(/%.*$/, "");
  const tail = /(?<=:)\d+\.\d+\.\d+\.\d+$/.exec(text)?.[0];
  if (tail !== undefined) {
    const four = parseIpv4(tail);
    if (four === undefined) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = four;
    const groups = [a * 256 + b, c * 256 + d].map((group) => group.toString(16)).join(":");
    text = text.slice(0, -tail.length) + groups;
  }
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [left = [], right = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - left.length - right.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...left, ...Array<string>(Math.max(missing, 0)).fill("0"), ...right];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return Uint8Array.from(
    groups.flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 255];
    }),
  );
}

function isInNetwork(address: Uint8Array, network: Uint8Array, bits: number): boolean {
  if (address.length !== network.length) return false;
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (address[i] !== network[i]) return false;
  const rest = bits & 7;
  if (rest === 0) return true;
  const mask = 0xff << (8 - rest);
  return ((address[whole] ?? 0) & mask) === ((network[whole] ?? 0) & mask);
}

function isSameAddress(text: string, bytes: Uint8Array): boolean {
  const other = parseAddress(text);
  return other !== undefined && isInNetwork(bytes, other, bytes.length * 8);
}
