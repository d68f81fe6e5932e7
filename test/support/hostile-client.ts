import { connect, type Socket } from "node:net";
import { connectControl } from "../../src/blit/control/client.ts";
import type { NetDaemon } from "./net-daemon.ts";

/**
 * A client that keeps to the control plane's protocol, and does on the data plane whatever a test
 * wants. Frames are built here from the description in docs/concepts/wire.md, not by the product.
 */
export interface HostileSession extends AsyncDisposable {
  readonly tokens: readonly Uint8Array[];
  readonly dataPort: number;
  /** Begins a pass: 1 transfer, 2 plan, 3 count, 4 settle. */
  startPass(purpose: number): void;
  say(payload: object): void;
  /** How the call ended: the code of its fault, or "ended". */
  readonly outcome: Promise<string>;
}

interface Negotiation {
  readonly oneTimeTokens: readonly Uint8Array[];
  readonly dataPort: number;
}

/** What a header says beside the place. */
export interface HostileHeader {
  readonly verb?: "push" | "pull";
  readonly path?: string;
  readonly module?: string;
  readonly command?: number;
  readonly isContents?: boolean;
  readonly options?: object;
  readonly capabilities?: object;
}

/** Opens a Push (the client is the source) or a Pull, with one stream. */
export async function openHostile(
  daemon: NetDaemon,
  header: HostileHeader = {},
): Promise<HostileSession> {
  const { address: host, port } = daemon;
  const client = await connectControl({ host, port }, { kind: "plain" });
  const requests = new Requests();
  requests.push({ case: "header", value: headerOf(header) });
  const call = header.verb === "pull" ? client.pull(requests) : client.push(requests);
  const negotiated = Promise.withResolvers<Negotiation>();
  const outcome = (async () => {
    try {
      for await (const { payload } of call) {
        if (payload.case === "negotiation") negotiated.resolve(payload.value as Negotiation);
        if (payload.case === "failure") return codeOf(payload.value);
      }
      return "ended";
    } catch (error) {
      negotiated.reject(error);
      return codeOf(error);
    }
  })();
  negotiated.promise.catch(() => client.close());
  const { oneTimeTokens: tokens, dataPort } = await negotiated.promise;
  return {
    tokens,
    dataPort,
    outcome,
    say: (payload) => requests.push(payload),
    startPass: (purpose) => requests.push({ case: "passStart", value: { purpose } }),
    async [Symbol.asyncDispose]() {
      requests.end();
      client.close();
      await outcome;
    },
  };
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" ? code : String(error);
}

function headerOf(header: HostileHeader): object {
  const options = { command: header.command ?? 1, comparison: 1, ...header.options };
  const capabilities = { wireVersion: 2, streamsMax: 1, ...header.capabilities };
  const module = header.module ?? "m";
  const path = Buffer.from(header.path ?? (header.verb === "pull" ? "s/" : "t/"), "latin1");
  if (header.verb === "pull") return { module, sources: [path], options, capabilities };
  const isContents = header.isContents ?? true;
  const name = Buffer.from("s");
  const root = { index: 0, isFolder: true, name, isContents, typed: name };
  return { target: { module, path }, options, roots: [root], capabilities };
}

/** What is said to the daemon, in order. */
class Requests {
  readonly #waiting: object[] = [];
  #wake = (): void => {};
  #isOver = false;

  push(payload: object): void {
    this.#waiting.push({ payload });
    this.#wake();
  }

  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<object> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else if (this.#isOver) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** A connection to the data port, its first bytes already sent. */
export interface HostileStream {
  readonly socket: Socket;
  /** The daemon's answer: 0 = welcome, 1 = refused, undefined = closed without one. */
  readonly answer: Promise<number | undefined>;
  /** Resolves when the daemon has closed it. */
  readonly closed: Promise<void>;
  /** Sends, and waits until the kernel has taken it or the connection is gone. */
  send(...parts: readonly Uint8Array[]): Promise<void>;
}

export function dialData(
  to: { readonly address: string; readonly dataPort: number },
  token: Uint8Array,
  from?: string,
): HostileStream {
  const where = { host: to.address, port: to.dataPort };
  const socket = connect(from === undefined ? where : { ...where, localAddress: from });
  const length = Buffer.alloc(2);
  length.writeUInt16LE(token.length);
  const answer = Promise.withResolvers<number | undefined>();
  const closed = Promise.withResolvers<void>();
  socket.on("data", (bytes: Buffer) => answer.resolve(bytes[0]));
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    answer.resolve(undefined);
    closed.resolve();
  });
  socket.write(Buffer.concat([Buffer.from("BLITDAT1"), length, token]));
  return {
    socket,
    answer: answer.promise,
    closed: closed.promise,
    send: (...parts) =>
      new Promise((resolve) => {
        if (socket.destroyed) return resolve();
        const done = (): void => resolve();
        socket.once("close", done);
        socket.write(Buffer.concat(parts), () => {
          socket.off("close", done);
          resolve();
        });
      }),
  };
}

/** One frame. The length in its header can be a lie. */
export function frame(
  type: number,
  options: {
    readonly id?: number;
    readonly flags?: number;
    readonly payload?: Uint8Array;
    readonly length?: bigint;
  } = {},
): Buffer {
  const { id = 0, flags = 0, payload = new Uint8Array(), length } = options;
  const header = Buffer.alloc(16);
  header.writeUInt8(type, 0);
  header.writeUInt8(flags, 1);
  header.writeUInt32LE(id, 4);
  header.writeBigUInt64LE(length ?? BigInt(payload.length), 8);
  return Buffer.concat([header, payload]);
}

/** The first frame of a pass on every stream. */
export function passFrame(purpose = 1): Buffer {
  const clock = Buffer.alloc(8);
  clock.writeBigUInt64LE(BigInt(Date.now()));
  const key = Buffer.alloc(32, 7);
  return frame(1, { payload: Buffer.concat([Buffer.of(purpose, 0, 0, 0), key, clock]) });
}

/** The 96 bytes of a status. */
export function status(mode: number, size = 0): Buffer {
  const bytes = Buffer.alloc(96);
  bytes.writeUInt32LE(1, 0);
  bytes.writeUInt16LE(mode, 12);
  bytes.writeBigUInt64LE(1n, 16);
  bytes.writeBigUInt64LE(BigInt(size), 24);
  for (const at of [32, 48, 64]) bytes.writeBigInt64LE(1_500_000_000n, at);
  return bytes;
}

export const mode = { file: 0o100_644, folder: 0o40_755, link: 0o120_777 } as const;

/** One entry of a FOLDER frame; `name` is latin1. */
export function entry(name: string, of: number, options: { size?: number; to?: string } = {}) {
  const { size = 0, to } = options;
  const link = to === undefined ? Buffer.alloc(0) : counted(Buffer.from(to, "latin1"));
  const head = Buffer.alloc(8);
  head.writeUInt16LE(name.length, 0);
  head.writeUInt16LE(to === undefined ? 0 : 2, 2);
  head.writeUInt32LE(link.length, 4);
  return Buffer.concat([head, status(of, size), Buffer.from(name, "latin1"), link]);
}

function counted(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** The payload of the first FOLDER frame of a folder. */
export function folder(path: string, ...entries: readonly Buffer[]): Buffer {
  const name = Buffer.from(path, "latin1");
  const head = Buffer.alloc(8);
  head.writeUInt32LE(name.length, 4);
  const none = Buffer.alloc(4);
  return Buffer.concat([head, name, status(mode.folder), none, ...entries]);
}

export const flag = { more: 1, incomplete: 2, holder: 4, first: 8, zstd: 16 } as const;
