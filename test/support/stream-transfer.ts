import { ports } from "../../src/blit/ports.ts";
import { ReceiveSession } from "../../src/blit/receive/receive-session.ts";
import { type SendRequest, SendSession } from "../../src/blit/send/send-session.ts";
import { freeBase } from "../../src/blit/session/open-beneath.ts";
import type {
  Base,
  PassPurpose,
  PassReport,
  SessionOptions,
  SourceReport,
  StreamKeys,
} from "../../src/blit/session/types.ts";
import { createReceiveWorker, createSendWorker } from "../../src/workers.ts";
import { localPair, tcpPair } from "./socket-pair.ts";

/** Both halves of a transfer over streams, in one process. */

export const plainOptions: SessionOptions = {
  command: "copy",
  comparison: "time",
  ignoreExisting: false,
  update: false,
  xattrs: true,
  owner: true,
  specials: false,
  filter: undefined,
  backupDir: undefined,
  allowEmptySource: false,
  bytesPerSecond: 0,
  compress: false,
};

export interface Transfer {
  readonly sources: readonly string[];
  readonly target: string;
  readonly options?: Partial<SessionOptions>;
  readonly streams?: number;
  readonly sourceBase?: Base;
  readonly targetBase?: Base;
  readonly kind?: "tcp" | "local";
  readonly isEncrypted?: boolean;
  /** Large files go over several streams; as of today's peers. */
  readonly splits?: boolean;
  /** Says how many streams are at work. */
  readonly tuner?: SendRequest["tuner"];
}

export interface PassResult {
  readonly source: SourceReport;
  readonly target: PassReport;
}

/** Two sessions that are connected; closed together. */
export class StreamTransfer implements AsyncDisposable {
  readonly send: SendSession;
  readonly receive: ReceiveSession;

  private constructor(send: SendSession, receive: ReceiveSession) {
    this.send = send;
    this.receive = receive;
  }

  static async open(transfer: Transfer): Promise<StreamTransfer> {
    ports.createSendWorker = createSendWorker;
    ports.createReceiveWorker = createReceiveWorker;
    const { sources, target, streams = 2, kind = "tcp", isEncrypted = false } = transfer;
    const options = { ...plainOptions, ...transfer.options };
    const sourceBase = transfer.sourceBase ?? freeBase;
    const targetBase = transfer.targetBase ?? freeBase;
    const { tuner } = transfer;
    const request = { options, base: sourceBase, sources, streams };
    const send = await SendSession.open(tuner === undefined ? request : { ...request, tuner });
    const { roots } = send;
    if (transfer.splits !== false) send.splitFiles();
    const place = { options, base: targetBase, target, roots, streams };
    const receive = await ReceiveSession.open(place).catch(async (error) => {
      await send.close();
      throw error;
    });
    for (let index = 0; index < streams; index++) {
      const { left, right } = kind === "tcp" ? tcpPair() : localPair();
      const keys = isEncrypted ? keyPair(index) : undefined;
      send.addStream({ index, fd: left, keys: keys?.[0], stallMs: 30_000 });
      receive.addStream({ index, fd: right, keys: keys?.[1], stallMs: 30_000 });
    }
    return new StreamTransfer(send, receive);
  }

  async pass(purpose: PassPurpose = "transfer", agreed?: number): Promise<PassResult> {
    this.receive.startPass(purpose, agreed);
    const source = await this.send.runPass(purpose);
    return { source, target: await this.receive.finishPass(source) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.send.close(), this.receive.close()]);
  }
}

function keyPair(index: number): [StreamKeys, StreamKeys] {
  const [a, b] = [new Uint8Array(32).fill(index + 1), new Uint8Array(32).fill(index + 100)];
  const [ivA, ivB] = [new Uint8Array(12).fill(1), new Uint8Array(12).fill(2)];
  return [
    { sendKey: a, sendIv: ivA, receiveKey: b, receiveIv: ivB },
    { sendKey: b, sendIv: ivB, receiveKey: a, receiveIv: ivA },
  ];
}

/** One pass of a transfer, from its beginning to its end. */
export async function transferOnce(transfer: Transfer): Promise<PassResult> {
  await using open = await StreamTransfer.open(transfer);
  return await open.pass();
}
