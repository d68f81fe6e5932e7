import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { SOCKET_OPTION } from "../../../ffi/abi/socket.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { preferBbr } from "../../../src/blit/wire/congestion.ts";
import { localPair, tcpPair } from "../../support/socket-pair.ts";

const { IPPROTO_TCP, TCP_CONGESTION } = SOCKET_OPTION;
const memory = new Memory(4096);

function choose(fd: number, name: string): number {
  memory.text.latin1Write(name, 0);
  return sys.setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, memory.pointer, name.length);
}

function chosen(fd: number): string {
  new DataView(memory.buffer).setUint32(64, 16, true);
  sys.getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, memory.pointer, memory.pointer + 64);
  return memory.text.latin1Slice(0, 16).replace(/\0.*$/s, "");
}

test("a connection sends by BBR where everybody may choose it, else as it did", () => {
  const { left, right } = tcpPair();
  // Every kernel has it, and lets everybody choose it.
  expect(choose(left, "reno")).toBe(0);
  preferBbr(left);
  const allowed = readFileSync("/proc/sys/net/ipv4/tcp_allowed_congestion_control", "utf8");
  expect(chosen(left)).toBe(/\bbbr\b/.test(allowed) ? "bbr" : "reno");
  sys.close(left);
  sys.close(right);
});

test("what is no TCP socket is left alone", () => {
  const { left, right } = localPair();
  preferBbr(left);
  preferBbr(-1);
  sys.close(left);
  sys.close(right);
});
