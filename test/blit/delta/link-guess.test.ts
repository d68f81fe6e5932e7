import { expect, test } from "bun:test";
import { sys } from "../../../ffi/sys.ts";
import { linkGuess } from "../../../src/blit/delta/link-guess.ts";
import { localPair, tcpPair } from "../../support/socket-pair.ts";

test("a connection within the machine is known to be fast, others are not known", () => {
  const tcp = tcpPair();
  const local = localPair();
  expect(linkGuess(tcp.left)).toBeGreaterThan(1e9);
  expect(linkGuess(tcp.right)).toBeGreaterThan(1e9);
  // The gRPC stream is behind it, of any speed.
  expect(linkGuess(local.left)).toBeUndefined();
  expect(linkGuess(-1)).toBeUndefined();
  for (const fd of [tcp.left, tcp.right, local.left, local.right]) sys.close(fd);
});
