import type multicastDns from "multicast-dns";

/**
 * DNS service discovery (RFC 6763) of blit: the records that tell of a daemon, and what a browser
 * makes of them. Pure.
 */

export const SERVICE = "_blit._tcp.local";

type Answer = multicastDns.ResponseOutgoingPacket["answers"][number];
/** Of a packet, what browsing looks at. */
type Heard = {
  readonly answers?: readonly Answer[] | undefined;
  readonly additionals?: readonly Answer[] | undefined;
};
/** Of a packet, what is asked in it. */
type Asked = {
  readonly questions?: readonly { readonly name: string; readonly type: string }[] | undefined;
};
/** Asked by browsers that want to know which services there are. */
const META = "_services._dns-sd._udp.local";

/** A daemon as it makes itself known. */
export type Advertised = {
  /** Name of the instance: what people see. */
  readonly name: string;
  /** Name of the machine, without `.local`. */
  readonly host: string;
  readonly port: number;
  /** Short facts: `key=value` each. */
  readonly txt: Readonly<Record<string, string>>;
};

/** A daemon that was found. Everything in it is what somebody in the network has said. */
export type FoundDaemon = {
  readonly name: string;
  /** As it is reached best: an address where one was told. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly txt: Readonly<Record<string, string>>;
};

const labelBytesMax = 63;
const hostTtl = 120;
const serviceTtl = 4500;

/**
 * A text as one label: dots would end it for the library, and a label has 63 bytes (RFC 6762,
 * section 16).
 */
export function labelOf(text: string): string {
  const plain = text.replace(/[.\p{Cc}]+/gu, "-").replace(/^-+|-+$/g, "");
  let label = "";
  for (const character of plain) {
    if (Buffer.byteLength(label + character) > labelBytesMax) break;
    label += character;
  }
  return label === "" ? "blit" : label;
}

/** The label with a number behind it, for a name that somebody else has already: `nas (2)`. */
export function numberedLabel(label: string, number: number): string {
  const suffix = ` (${number})`;
  let stem = label;
  while (Buffer.byteLength(stem + suffix) > labelBytesMax) stem = [...stem].slice(0, -1).join("");
  return stem + suffix;
}

/** The records of a daemon at an IPv4 address. `goodbye`: it is leaving (RFC 6762, 10.1). */
export function recordsOf(daemon: Advertised, address: string, goodbye = false): Answer[] {
  const instance = `${daemon.name}.${SERVICE}`;
  const target = `${daemon.host}.local`;
  const service = goodbye ? 0 : serviceTtl;
  const host = goodbye ? 0 : hostTtl;
  const txt = Object.entries(daemon.txt).map(([key, value]) => Buffer.from(`${key}=${value}`));
  return [
    { name: SERVICE, type: "PTR", ttl: service, data: instance },
    {
      name: instance,
      type: "SRV",
      ttl: host,
      flush: true,
      data: { target, port: daemon.port, priority: 0, weight: 0 },
    },
    { name: instance, type: "TXT", ttl: service, flush: true, data: txt },
    // The machine's own name stays when the daemon goes.
    ...(goodbye
      ? []
      : [{ name: target, type: "A", ttl: host, flush: true, data: address } satisfies Answer]),
  ];
}

/** What a query is to be answered with, if anything. */
export function answersTo(
  query: Asked,
  daemon: Advertised,
  address: string,
): { readonly answers: Answer[]; readonly additionals: Answer[] } | undefined {
  const records = recordsOf(daemon, address);
  const answers: Answer[] = [];
  for (const { name, type } of query.questions ?? []) {
    const asked = name.toLowerCase();
    if (asked === META && wants(type, "PTR")) {
      answers.push({ name: META, type: "PTR", ttl: serviceTtl, data: SERVICE });
    }
    for (const record of records) {
      const fits = record.name.toLowerCase() === asked && wants(type, record.type);
      if (fits && !answers.includes(record)) answers.push(record);
    }
  }
  if (answers.length === 0) return undefined;
  return { answers, additionals: records.filter((record) => !answers.includes(record)) };
}

function wants(asked: string, type: string): boolean {
  return asked === type || asked === "ANY";
}

/** Daemons that a browser remembers at most: anybody may answer. */
const foundMax = 1000;

/** Puts together what arrives: records of one daemon may come in several packets. */
export class Browsing {
  readonly #services = new Map<string, { host: string; port: number; address: string }>();
  readonly #texts = new Map<string, Readonly<Record<string, string>>>();

  /** Takes in a response. `from` is the address that it came from. */
  take(packet: Heard, from: string): void {
    const records = [...(packet.answers ?? []), ...(packet.additionals ?? [])];
    // Of this packet alone: two machines may have one name, as copies of a container do.
    const addressOf = (host: string): string => {
      const name = host.toLowerCase();
      const found = records.find((one) => one.type === "A" && one.name.toLowerCase() === name);
      return found?.type === "A" ? found.data : from;
    };
    for (const record of records) this.#takeRecord(record, addressOf);
  }

  #takeRecord(record: Answer, addressOf: (host: string) => string): void {
    const name = instanceOf(record.name);
    if (name === undefined) return;
    if (record.type === "SRV") {
      const { port, target } = record.data;
      if (record.ttl === 0) this.#services.delete(name);
      else if (this.#services.size < foundMax || this.#services.has(name)) {
        this.#services.set(name, { host: target, port, address: addressOf(target) });
      }
    } else if (record.type === "TXT" && this.#texts.size < foundMax) {
      this.#texts.set(name, textsOf(record.data));
    }
  }

  /** All that are known by now. */
  found(): FoundDaemon[] {
    return [...this.#services].map(([name, { host, port, address }]) => ({
      name,
      host: host.replace(/\.local\.?$/i, ""),
      address,
      port,
      txt: this.#texts.get(name) ?? {},
    }));
  }
}

/** `nas` of `nas._blit._tcp.local`. */
function instanceOf(name: string): string | undefined {
  const isOurs = name.toLowerCase().endsWith(`.${SERVICE}`);
  return isOurs ? name.slice(0, -SERVICE.length - 1) : undefined;
}

const textsMax = 32;

function textsOf(data: unknown): Readonly<Record<string, string>> {
  const list = Array.isArray(data) ? data : [data];
  const texts: Record<string, string> = {};
  for (const one of list.slice(0, textsMax)) {
    const text = Buffer.isBuffer(one) ? one.toString("utf8") : String(one);
    const equals = text.indexOf("=");
    if (equals > 0) texts[text.slice(0, equals)] = text.slice(equals + 1);
  }
  return texts;
}
