import { hostname } from "node:os";
import multicastDns from "multicast-dns";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { isInNetwork, type OwnAddress, ownAddresses } from "./interfaces.ts";
import {
  type Advertised,
  answersTo,
  Browsing,
  type FoundDaemon,
  labelOf,
  numberedLabel,
  recordsOf,
  SERVICE,
} from "./service-records.ts";

/**
 * Finding daemons in the local network by multicast DNS (RFC 6762), IPv4: a socket for each
 * interface, bound to every address and with that interface for what it sends. Multicast leaves by
 * the default route otherwise, and where there is none, not at all.
 */

/** Where to speak; replaced in tests. */
export type MdnsOptions = {
  /** IPv4 addresses of the interfaces; all of this machine by default. */
  readonly interfaces?: readonly OwnAddress[];
  readonly port?: number;
};

/** A daemon that is known in the network until it is stopped. */
export type Advertisement = {
  /** With a number behind it where somebody else had the name. */
  readonly name: string;
  /** Says goodbye, and closes the sockets. */
  stop(): Promise<void>;
};

type Mdns = ReturnType<typeof multicastDns>;
type Speaker = { readonly mdns: Mdns; readonly own: OwnAddress };

/** A name is free if nobody objects for so long, milliseconds (RFC 6762, 8.1). */
const probeMs = 250;
const probesMax = 3;
const namesMax = 20;
/** The second announcement, for those who have missed the first (RFC 6762, 8.3). */
const announceAgainMs = 1000;

/**
 * Makes a daemon known as `_blit._tcp.local`.
 *
 * @throws {Fault} E_NETWORK where no interface can be used
 */
export async function advertise(
  about: {
    /** Shown to people; the name of the machine by default. */
    readonly name?: string | undefined;
    readonly port: number;
    readonly txt?: Readonly<Record<string, string>>;
    /** Where it listens; "0.0.0.0", "::" or nothing: everywhere. */
    readonly boundTo?: string | undefined;
  },
  options: MdnsOptions & { readonly probeMs?: number } = {},
): Promise<Advertisement> {
  const host = labelOf(hostname().split(".")[0] ?? "");
  const interfaces = (options.interfaces ?? ownAddresses()).filter(
    ({ address }) => isEverywhere(about.boundTo) || address === about.boundTo,
  );
  const speakers = await openSpeakers({ ...options, interfaces });
  const wanted = labelOf(about.name ?? host);
  const name = await freeName(speakers, wanted, options.probeMs ?? probeMs, about);
  const daemon: Advertised = { name, host, port: about.port, txt: about.txt ?? {} };
  const announce = (goodbye: boolean): Promise<unknown> =>
    Promise.all(
      speakers.map((speaker) => {
        const answers = recordsOf(daemon, speaker.own.address, goodbye);
        return respond(speaker.mdns, answers, []);
      }),
    );
  for (const speaker of speakers) answerQueries(speaker, speakers, daemon);
  await announce(false);
  const again = setTimeout(() => void announce(false), announceAgainMs);
  again.unref();
  let stopped: Promise<void> | undefined;
  return {
    name,
    stop: () => {
      clearTimeout(again);
      stopped ??= announce(true).then(() => closeSpeakers(speakers));
      return stopped;
    },
  };
}

function isEverywhere(address: string | undefined): boolean {
  return address === undefined || address === "0.0.0.0" || address === "::";
}

function answerQueries(speaker: Speaker, all: readonly Speaker[], daemon: Advertised): void {
  speaker.mdns.on("query", (query, sender) => {
    // Every socket hears every interface: the one in the asker's network answers.
    const isNear = isInNetwork(sender.address, speaker.own);
    const isAnyNear = all.some(({ own }) => isInNetwork(sender.address, own));
    if (!isNear && isAnyNear) return;
    const found = answersTo(query, daemon, speaker.own.address);
    if (found !== undefined) void respond(speaker.mdns, found.answers, found.additionals);
  });
}

/** Asks whether a name is taken, and takes the next one where it is. */
async function freeName(
  speakers: readonly Speaker[],
  wanted: string,
  waitMs: number,
  own: { readonly port: number },
): Promise<string> {
  const browsing = new Browsing();
  const addresses = speakers.map((speaker) => speaker.own.address);
  const isOwn = (one: FoundDaemon): boolean =>
    one.port === own.port && addresses.includes(one.address);
  const listeners = speakers.map(({ mdns }) => {
    const listener = (packet: Parameters<Browsing["take"]>[0], from: { address: string }) =>
      browsing.take(packet, from.address);
    mdns.on("response", listener);
    return () => mdns.off("response", listener);
  });
  try {
    for (let number = 1; number <= namesMax; number += 1) {
      const name = number === 1 ? wanted : numberedLabel(wanted, number);
      const isTaken = (): boolean =>
        browsing.found().some((one) => one.name === name && !isOwn(one));
      for (let probe = 0; probe < probesMax && !isTaken(); probe += 1) {
        for (const { mdns } of speakers) ask(mdns, `${name}.${SERVICE}`, "SRV");
        await Bun.sleep(waitMs / probesMax);
      }
      if (!isTaken()) return name;
    }
  } finally {
    for (const off of listeners) off();
  }
  return numberedLabel(wanted, namesMax + own.port);
}

/**
 * Asks who is there, and gathers the answers that come within a time.
 *
 * @param onFound is told of each daemon as soon as it is known
 * @throws {Fault} E_NETWORK where no interface can be used
 */
export async function browse(
  how: {
    readonly waitMs: number;
    readonly onFound?: (daemon: FoundDaemon) => void;
    readonly signal?: AbortSignal;
  },
  options: MdnsOptions = {},
): Promise<FoundDaemon[]> {
  const speakers = await openSpeakers(options);
  const browsing = new Browsing();
  const told = new Set<string>();
  for (const { mdns } of speakers) {
    mdns.on("response", (packet, from) => {
      browsing.take(packet, from.address);
      for (const daemon of browsing.found()) {
        if (told.has(daemon.name)) continue;
        told.add(daemon.name);
        how.onFound?.(daemon);
      }
    });
  }
  try {
    // Multicast is not repeated by anybody: ask a few times (RFC 6762, 5.2).
    for (const share of [0.2, 0.3, 0.5]) {
      for (const { mdns } of speakers) ask(mdns, SERVICE, "PTR");
      await sleep(how.waitMs * share, how.signal);
    }
  } finally {
    await closeSpeakers(speakers);
  }
  return browsing.found().sort((a, b) => (a.name < b.name ? -1 : 1));
}

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
    signal?.addEventListener("abort", done, { once: true });
  });
}

/** Opens a socket for each interface; those that cannot be used are left out. */
async function openSpeakers(options: MdnsOptions): Promise<Speaker[]> {
  const interfaces = options.interfaces ?? ownAddresses();
  const problems: unknown[] = [];
  const opened = await Promise.all(
    interfaces.map(async (own) => {
      try {
        return { own, mdns: await openSocket(own.address, options.port) };
      } catch (error) {
        problems.push(error);
        return undefined;
      }
    }),
  );
  const speakers = opened.filter((speaker) => speaker !== undefined);
  if (speakers.length > 0) return speakers;
  const [problem] = problems;
  throw new Fault({
    code: "E_NETWORK",
    message:
      problem === undefined
        ? "Cannot use multicast DNS: there is no IPv4 address to use it from"
        : `Cannot use multicast DNS: ${reasonOf(problem)}`,
    hint: "name the server instead: blit list SERVER:9031",
  });
}

function openSocket(address: string, port: number | undefined): Promise<Mdns> {
  return new Promise((resolve, reject) => {
    const mdns = multicastDns({
      interface: address,
      bind: "0.0.0.0",
      ...(port === undefined ? {} : { port }),
    });
    mdns.once("ready", () => resolve(mdns));
    mdns.on("error", reject);
    // Broken packets of others, and interfaces that come and go.
    mdns.on("warning", () => {});
  });
}

function ask(mdns: Mdns, name: string, type: "PTR" | "SRV"): void {
  mdns.query({ questions: [{ name, type }] }, () => {});
}

/** Sends an answer; an interface that is gone is no reason to stop. */
function respond(
  mdns: Mdns,
  answers: ReturnType<typeof recordsOf>,
  additionals: ReturnType<typeof recordsOf>,
): Promise<void> {
  return new Promise((resolve) => mdns.respond({ answers, additionals }, () => resolve()));
}

function closeSpeakers(speakers: readonly Speaker[]): Promise<void> {
  const closing = speakers.map(
    ({ mdns }) => new Promise<void>((resolve) => mdns.destroy(() => resolve())),
  );
  return Promise.all(closing).then(() => {});
}
