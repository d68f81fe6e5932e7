import { describe, expect, test } from "bun:test";
import {
  DATA_TOKEN_BYTES,
  DATA_TOKEN_MS,
  DataTokens,
  newSessionId,
} from "../../../src/blit/control/data-token.ts";

const PEER = "192.0.2.7";

function start() {
  const clock = { now: 1000 };
  const tokens = new DataTokens(() => clock.now);
  const session = newSessionId();
  const token = tokens.issue(session, 3, PEER) as Uint8Array;
  return { clock, tokens, session, token };
}

describe("a ticket for a data connection", () => {
  test("is taken from the peer that got it, and says what it is for", () => {
    const { tokens, session, token } = start();
    expect(token.length).toBe(DATA_TOKEN_BYTES);
    expect(tokens.redeem(token, PEER)).toEqual({
      session: Buffer.from(session).toString("hex"),
      stream: 3,
    });
  });

  test("is taken once", () => {
    const { tokens, token } = start();
    tokens.redeem(token, PEER);
    expect(tokens.redeem(token, PEER)).toBe("used");
  });

  test("is taken from no other peer, and stays good for its own", () => {
    const { tokens, token } = start();
    expect(tokens.redeem(token, "192.0.2.8")).toBe("foreign");
    expect(tokens.redeem(token, `::ffff:${PEER}`)).toMatchObject({ stream: 3 });
  });

  test("is not taken late", () => {
    const { tokens, token, clock } = start();
    clock.now += DATA_TOKEN_MS + 1;
    expect(tokens.redeem(token, PEER)).toBe("late");
  });

  test("is not taken with a single bit changed, wherever it is", () => {
    const { tokens, token } = start();
    for (let bit = 0; bit < token.length * 8; bit += 1) {
      const forged = token.slice();
      forged[bit >> 3]! ^= 1 << (bit & 7);
      expect(tokens.redeem(forged, PEER)).toBeString();
    }
    expect(tokens.redeem(token, PEER)).toMatchObject({ stream: 3 });
  });

  test("is not taken in another length", () => {
    const { tokens, token } = start();
    expect(tokens.redeem(token.subarray(1), PEER)).toBe("malformed");
    expect(tokens.redeem(new Uint8Array(), PEER)).toBe("malformed");
  });

  test("of another daemon, or of one that has started again, is forged", () => {
    expect(start().tokens.redeem(start().token, PEER)).toBe("forged");
  });

  test("is good for nothing when its session is over", () => {
    const { tokens, token, session } = start();
    tokens.revoke(session);
    expect(tokens.redeem(token, PEER)).toBe("used");
  });

  test("cannot be asked for without end: what is late makes room", () => {
    const { tokens, session, clock } = start();
    let count = 1;
    while (tokens.issue(session, 0, PEER) !== undefined) count += 1;
    expect(count).toBe(65_536);
    clock.now += DATA_TOKEN_MS + 2;
    expect(tokens.issue(session, 0, PEER)).toBeDefined();
  });
});
