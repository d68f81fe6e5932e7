import { describe, expect, test } from "bun:test";
import { create } from "@bufbuild/protobuf";
import {
  type DataTransferNegotiation,
  DataTransferNegotiationSchema,
} from "../../../src/blit/control/proto/blit_pb.js";
import {
  connectStreams,
  nearStreams,
  pumpStreams,
  STREAMS_MAX,
  wantedStreams,
} from "../../../src/blit/remote/client-streams.ts";
import { MessageQueue } from "../../../src/blit/remote/message-queue.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";

function offer(parts: Partial<DataTransferNegotiation>): DataTransferNegotiation {
  const { $typeName: _, ...rest } = parts;
  return create(DataTransferNegotiationSchema, { oneTimeTokens: [new Uint8Array(66)], ...rest });
}

const how = { signal: new AbortController().signal, isFar: false };

function client(isEncrypted: boolean) {
  return { address: "127.0.0.1", isEncrypted, exporter: () => undefined };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.catch((reason: unknown) => reason);
  return error instanceof Fault ? error.code : String(error);
}

describe("what a daemon may offer", () => {
  test("not data in clear beside an encrypted control connection", async () => {
    const plain = offer({ isEncrypted: false, dataPort: 1 });
    expect(await codeOf(connectStreams(client(true), plain, how))).toBe("E_INTEGRITY");
  });

  test("not without a token, nor with many", async () => {
    for (const count of [0, STREAMS_MAX + 1]) {
      const tokens = Array.from({ length: count }, () => new Uint8Array(66));
      const many = offer({ oneTimeTokens: tokens, dataPort: 1 });
      expect(await codeOf(connectStreams(client(false), many, how))).toBe("E_INTEGRITY");
    }
    const requests = new MessageQueue<unknown>();
    const pumps = pumpStreams(STREAMS_MAX + 1, requests, (chunk) => chunk);
    expect(await codeOf(pumps)).toBe("E_INTEGRITY");
  });

  test("this machine asks for as many as it can serve, from far away for more", async () => {
    expect(nearStreams().count).toBeWithin(2, STREAMS_MAX + 1);
    const after = (ms: number) => ({
      roundTripMs: async (limitMs: number) => Math.min(ms, limitMs),
    });
    expect(await wantedStreams(after(0.3))).toEqual(nearStreams());
    const far = await wantedStreams(after(40));
    expect(far.isFar).toBe(true);
    expect(far.count).toBeWithin(4, STREAMS_MAX + 1);
  });
});

describe("streams inside of the control stream", () => {
  test("a chunk for a stream that is none ends the transfer", async () => {
    const requests = new MessageQueue<unknown>();
    const streams = await pumpStreams(2, requests, (chunk) => chunk);
    expect(streams.seats.map((seat) => seat.index)).toEqual([0, 1]);
    const chunk = { stream: 2, data: new Uint8Array(1), isEnd: false };
    const taken = streams.take(chunk as Parameters<typeof streams.take>[0]);
    expect(await codeOf(taken)).toBe("E_INTEGRITY");
    streams.close({ seatsToo: true });
  });
});
