import { expect, test } from "bun:test";
import { RESOLVE } from "../../../ffi/abi/open-how.ts";
import { isPlainSeat, mayStayWarm, WarmWorkers } from "../../../src/blit/session/warm-workers.ts";

/** Counts what is made and ended, and says that one has gone. */
function pool(options: { max?: number; idleMs?: number } = {}) {
  const made: { name: number; isEnded: boolean; listeners: Set<() => void> }[] = [];
  const make = (): Worker => {
    const listeners = new Set<() => void>();
    const one = {
      name: made.length,
      isEnded: false,
      listeners,
      onmessage: () => {},
      onerror: () => {},
      addEventListener: (_: string, listener: () => void) => listeners.add(listener),
      removeEventListener: (_: string, listener: () => void) => listeners.delete(listener),
      terminate: () => {
        one.isEnded = true;
      },
    };
    made.push(one);
    return one as unknown as Worker;
  };
  const workers = new WarmWorkers({ make, max: options.max ?? 2, idleMs: options.idleMs ?? 1e6 });
  const name = (worker: Worker): number => (worker as unknown as { name: number }).name;
  const ended = (): number[] => made.filter((one) => one.isEnded).map((one) => one.name);
  return { workers, made, name, ended };
}

test("what is kept is taken again, the last one first; no more than agreed are kept", () => {
  const { workers, name, ended, made } = pool();
  const all = [workers.take(), workers.take(), workers.take()];
  for (const worker of all) workers.keep(worker);
  expect(ended()).toEqual([2]);
  expect([workers.take(), workers.take(), workers.take()].map(name)).toEqual([1, 0, 3]);
  // Who has one hears of its end, and nobody else.
  expect(made.map(({ listeners }) => listeners.size)).toEqual([0, 0, 0, 0]);
});

test("one that goes while it is kept is not taken", () => {
  const { workers, made, name } = pool();
  const [first, second] = [workers.take(), workers.take()];
  workers.keep(first);
  workers.keep(second);
  for (const gone of made[1]?.listeners ?? []) gone();
  expect([workers.take(), workers.take()].map(name)).toEqual([0, 2]);
});

test("one that nobody wants is ended", async () => {
  const { workers, ended } = pool({ idleMs: 20 });
  workers.keep(workers.take());
  for (let n = 0; n < 1000 && ended().length === 0; n++) await Bun.sleep(10);
  expect(ended()).toEqual([0]);
  // And so is the next one.
  workers.keep(workers.take());
  for (let n = 0; n < 1000 && ended().length === 1; n++) await Bun.sleep(10);
  expect(ended()).toEqual([0, 1]);
});

test("clearing ends what is kept; closing what comes later, too", () => {
  const { workers, ended } = pool();
  const [first, second, third] = [workers.take(), workers.take(), workers.take()];
  workers.keep(first);
  workers.clear();
  expect(ended()).toEqual([0]);
  workers.keep(second);
  expect(ended()).toEqual([0]);
  workers.close();
  workers.keep(third);
  expect(ended()).toEqual([0, 1, 2]);
});

test("threads of a module that confines them, or that unpack, serve one session", () => {
  const beneath = { fd: 3, resolve: RESOLVE.BENEATH | RESOLVE.NO_MAGICLINKS };
  expect(mayStayWarm(beneath, { compress: false })).toBe(true);
  expect(mayStayWarm(beneath, { compress: true })).toBe(false);
  const inRoot = { fd: 3, resolve: RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS };
  expect(mayStayWarm(inRoot, { compress: false })).toBe(false);
  const confined = { ...beneath, confine: { chroot: false, uid: 65534, gid: 65534 } };
  expect(mayStayWarm(confined, { compress: false })).toBe(false);
});

test("so do those that have keys, or no socket of the kernel", () => {
  const seat = { index: 0, fd: 3, keys: undefined, stallMs: 1 };
  expect(isPlainSeat(seat)).toBe(true);
  const key = new Uint8Array(32);
  const keys = { sendKey: key, sendIv: key, receiveKey: key, receiveIv: key };
  expect(isPlainSeat({ ...seat, keys })).toBe(false);
  expect(isPlainSeat({ ...seat, transport: "rdma" })).toBe(false);
});
