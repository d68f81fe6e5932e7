import { afterEach, beforeEach, expect, test } from "bun:test";
import { closeSync, fstatSync, openSync } from "node:fs";
import { PartBoard } from "../../../src/blit/send/part-board.ts";

/** Two threads' views of the same memory: `board` is the owner's. */
let board: PartBoard;
let other: PartBoard;
let fd: number;
beforeEach(() => {
  board = PartBoard.create(3);
  other = new PartBoard(board.buffer);
  board.begin(3);
  fd = openSync("/dev/null", "r");
});
afterEach(() => closeSync(fd));

const file = (sizeBytes: number) => ({ fd, sequence: 1, sizeBytes, partBytes: 100 });

test("owner and helpers take each part once, the last one shorter", () => {
  board.offer(1, file(250));
  expect(other.hasPartsFor(0)).toBe(true);
  // An owner is no helper of itself.
  expect(board.hasPartsFor(1)).toBe(false);
  const helped = other.takeFor(0);
  expect(helped).toMatchObject({ owner: 1, sequence: 1, offset: 0, length: 100 });
  expect(board.take(1)).toEqual({ owner: 1, sequence: 1, offset: 100, length: 100 });
  expect(board.take(1)).toEqual({ owner: 1, sequence: 1, offset: 200, length: 50 });
  expect(board.take(1)).toBeUndefined();
  expect(other.takeFor(2)).toBeUndefined();
  expect(board.isSent(1, 0)).toBe(false);
  if (helped !== undefined) other.giveBack(helped, 0);
  expect(board.isSent(1, 0)).toBe(true);
  expect([board.failure(1), board.helpedBytes(1)]).toEqual([0, 100]);
});

test("a helper's descriptor is its own, and is closed with its part", () => {
  board.offer(0, file(300));
  const part = other.takeFor(1);
  if (part === undefined) throw new Error("no part");
  expect(part.fd).not.toBe(fd);
  expect(fstatSync(part.fd).isCharacterDevice()).toBe(true);
  other.giveBack(part, 0);
  expect(() => fstatSync(part.fd)).toThrow();
});

test("after a failure no part is given out, and the first reason stays", () => {
  board.offer(0, file(500));
  const part = other.takeFor(1);
  if (part === undefined) throw new Error("no part");
  other.giveBack(part, -5);
  board.fail(0, -6);
  expect([board.take(0), other.takeFor(2), board.failure(0)]).toEqual([undefined, undefined, -5]);
});

test("what is closed or of another phase is not offered", () => {
  board.offer(0, file(500));
  board.close(0);
  expect(other.takeFor(1)).toBeUndefined();
  board.offer(0, { ...file(500), sequence: 2 });
  expect(other.hasPartsFor(1)).toBe(true);
  board.begin(3);
  expect(other.hasPartsFor(1)).toBe(false);
});

test("counts who may still have a file", () => {
  expect([board.endOne(), other.busy]).toEqual([false, 2]);
  expect([other.endOne(), board.endOne(), board.busy]).toEqual([false, true, 0]);
});
