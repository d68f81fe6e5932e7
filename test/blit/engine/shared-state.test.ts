import { describe, expect, test } from "bun:test";
import {
  cancelReason,
  control,
  counter,
  SharedState,
} from "../../../src/blit/engine/shared-state.ts";

describe("SharedState", () => {
  test("sums a column over the rows of all threads", () => {
    const shared = SharedState.create(3);
    shared.row(0)[counter.files] = 2;
    shared.row(2)[counter.files] = 5;
    shared.row(1)[counter.bytes] = 100;
    expect(shared.total(counter.files)).toBe(7);
    expect(shared.total(counter.bytes)).toBe(100);
  });

  test("has a column of its own for every counter", () => {
    const columns = Object.values(counter);
    expect(new Set(columns).size).toBe(columns.length);
    const shared = SharedState.create(2);
    shared.row(0)[Math.max(...columns)] = 1;
    expect([...shared.row(1)].every((value) => value === 0)).toBe(true);
  });

  test("keeps the first reason to stop", () => {
    const shared = SharedState.create(1);
    expect(shared.cancelled()).toBe(cancelReason.none);
    shared.cancel(cancelReason.noSpace);
    shared.cancel(cancelReason.interrupted);
    expect(shared.cancelled()).toBe(cancelReason.noSpace);
  });

  test("gives each hungry thread's claim away once", () => {
    const shared = SharedState.create(1);
    Atomics.add(shared.control, control.hungry, 2);
    expect([shared.claimHungry(), shared.claimHungry(), shared.claimHungry()]).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("hands a cursor out, moves it on, and takes it back", () => {
    const shared = SharedState.create(1);
    const slot = shared.takeCursor();
    expect(slot).toBeGreaterThanOrEqual(0);
    expect(shared.advanceCursor(slot, 16)).toBe(0);
    expect(shared.advanceCursor(slot, 2 ** 40)).toBe(16);
    expect(shared.advanceCursor(slot, 1)).toBe(2 ** 40 + 16);
    expect(shared.takeCursor()).not.toBe(slot);
    shared.releaseCursor(slot);
    expect(shared.takeCursor()).toBe(slot);
    expect(shared.advanceCursor(slot, 1)).toBe(0);
  });

  test("runs out of cursors rather than sharing one", () => {
    const shared = SharedState.create(1);
    const slots = Array.from({ length: 40 }, () => shared.takeCursor());
    const given = slots.filter((slot) => slot >= 0);
    expect(new Set(given).size).toBe(given.length);
    expect(slots.at(-1)).toBe(-1);
  });

  test("tells where a thread is, the end of a long path", () => {
    const shared = SharedState.create(2);
    shared.note(1, "a/b");
    expect(shared.whereabouts(1)).toBe("a/b");
    expect(shared.whereabouts(0)).toBe("");
    shared.note(1, `${"x".repeat(2000)}/end`);
    expect(shared.whereabouts(1)).toEndWith("/end");
    expect(shared.whereabouts(0)).toBe("");
  });
});

test("root folders are known by device and whole inode number, each side by itself", () => {
  const shared = SharedState.create(1);
  const place = { dev: 5, inoHigh: 1, inoLow: 7 };
  expect(shared.isPlace("source", place)).toBe(false);
  shared.notePlace("source", { dev: 5, inoHigh: 0, inoLow: 7 });
  shared.notePlace("source", place);
  const other = new SharedState(shared.buffers);
  expect(other.isPlace("source", place)).toBe(true);
  expect(other.isPlace("source", { ...place, dev: 6 })).toBe(false);
  expect(other.isPlace("source", { ...place, inoHigh: 2 })).toBe(false);
  expect(other.isPlace("target", place)).toBe(false);
  for (let inoLow = 1; inoLow <= 200; inoLow++) shared.notePlace("source", { ...place, inoLow });
  expect(shared.isPlace("target", { ...place, inoLow: 100 })).toBe(false);
});
