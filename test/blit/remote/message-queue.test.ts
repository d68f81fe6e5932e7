import { describe, expect, test } from "bun:test";
import { MessageQueue } from "../../../src/blit/remote/message-queue.ts";

async function collect<M>(queue: MessageQueue<M>): Promise<M[]> {
  const all: M[] = [];
  for await (const message of queue) all.push(message);
  return all;
}

describe("a queue of messages", () => {
  test("gives them in order, also those pushed while it is read", async () => {
    const queue = new MessageQueue<number>();
    queue.push(1);
    const reading = collect(queue);
    await Promise.resolve();
    queue.push(2);
    queue.push(3);
    queue.end();
    queue.push(4);
    expect(await reading).toEqual([1, 2, 3]);
  });

  test("makes writers wait for room", async () => {
    const queue = new MessageQueue<string>(10);
    expect(queue.hasRoom).toBe(true);
    queue.push("a", 10);
    expect(queue.hasRoom).toBe(false);
    const order: string[] = [];
    const waiting = queue.whenRoom().then(() => order.push("room"));
    const reader = queue[Symbol.asyncIterator]();
    order.push("read");
    expect((await reader.next()).value).toBe("a");
    await waiting;
    expect(order).toEqual(["read", "room"]);
  });

  test("a failure reaches the reader, and writers wait for nothing", async () => {
    const queue = new MessageQueue<string>(1);
    queue.push("a", 5);
    queue.fail(new Error("gone"));
    await queue.whenRoom();
    const failure = await collect(queue).catch((error: Error) => error.message);
    expect(failure).toBe("gone");
  });

  test("a reader that goes lets writers go", async () => {
    const queue = new MessageQueue<string>(1);
    queue.push("a", 5);
    queue.push("b", 5);
    const reader = queue[Symbol.asyncIterator]();
    await reader.next();
    const waiting = queue.whenRoom();
    await reader.return(undefined);
    await waiting;
    queue.push("c", 5);
    expect(queue.hasRoom).toBe(true);
  });
});
