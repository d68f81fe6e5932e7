/** One end of the stream: `stream-side.ts send|receive plain|sealed FD FILE BYTES PIECE_BYTES`. */
import { AT, O } from "../ffi/abi/constants.ts";
import { Memory, writeCString } from "../ffi/mem.ts";
import { check, sys } from "../ffi/sys.ts";
import { DataSocket } from "../src/blit/wire/data-socket.ts";

const [side, kind, fd, path = "", bytes, pieceBytes] = process.argv.slice(2);
const headBytes = 32;

function open(flags: number): number {
  const memory = new Memory(8192);
  writeCString(memory.bytes, 0, path);
  return check(sys.openat(AT.FDCWD, memory.pointer, flags, 0o600), "openat", path);
}

function send(socket: DataSocket, total: number, piece: number): void {
  const file = open(O.RDONLY);
  for (let offset = 0; offset < total; offset += piece) {
    check(socket.reserve(headBytes), "reserve");
    socket.commit(headBytes);
    const { result, sent } = socket.sendFile(file, offset, Math.min(piece, total - offset));
    if (result < 0 || sent === 0) throw new Error(`sent ${sent}: ${result}`);
  }
  check(socket.need(1), "need");
}

function receive(socket: DataSocket, total: number, piece: number): void {
  const file = open(O.WRONLY | O.CREAT | O.TRUNC);
  for (let offset = 0; offset < total; offset += piece) {
    check(socket.need(headBytes), "need");
    socket.consume(headBytes);
    const { result } = socket.receiveToFile(file, offset, Math.min(piece, total - offset));
    check(result, "receiveToFile");
  }
  check(socket.reserve(1), "reserve");
  socket.commit(1);
  check(socket.flush(), "flush");
}

const key = new Uint8Array(32).fill(7);
const iv = new Uint8Array(12).fill(7);
const keys = { sendKey: key, sendIv: iv, receiveKey: key, receiveIv: iv };
const seat = { index: 0, fd: Number(fd), stallMs: 10_000 };
const socket = new DataSocket(
  { ...seat, keys: kind === "sealed" ? keys : undefined },
  { isCancelled: () => false },
);
const start = performance.now();
(side === "send" ? send : receive)(socket, Number(bytes), Number(pieceBytes));
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ seconds, user: user / 1e6, system: system / 1e6 }));
