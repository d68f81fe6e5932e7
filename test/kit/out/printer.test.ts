import { expect, test } from "bun:test";

import { Fault } from "../../../src/kit/fault/fault.ts";
import { Printer } from "../../../src/kit/out/printer.ts";
import { BrokenPipe } from "../../../src/kit/out/write-fully.ts";
import { Sink } from "../../support/capture.ts";

test("data goes to stdout, everything else to stderr", () => {
  const sink = new Sink();
  const printer = sink.printer({ level: 1 });
  printer.out("data");
  printer.json({ a: 1 });
  printer.note("note");
  printer.verbose("verbose");
  printer.debug("debug");
  printer.warn("careful\u001b[2J", "look");
  printer.error(new Fault({ code: "E_IO", message: "No" }));
  printer.flush();
  expect(sink.text(1)).toBe('data\n{"a":1}\n');
  expect(sink.text(2)).toBe("note\nverbose\nwarning: careful\\e[2J\nhint: look\nerror: No\n");
});

test("-q leaves warnings and errors", () => {
  const sink = new Sink();
  const printer = sink.printer({ level: -1 });
  printer.note("note");
  printer.verbose("verbose");
  printer.warn("careful");
  expect(sink.text(2)).toBe("warning: careful\n");
});

test("many lines become few writes, and nothing waits for the end of a slow command", async () => {
  const writes: string[] = [];
  const printer = new Printer({
    write: (_fd, bytes) => void writes.push(new TextDecoder().decode(bytes)),
  });
  for (let line = 0; line < 100; line += 1) {
    printer.out(String(line));
  }
  expect(writes).toEqual([]);
  await Promise.resolve();
  expect(writes).toHaveLength(1);
  expect(writes[0]?.split("\n")).toHaveLength(101);
});

test("what is on stdout stands before what is said after it", () => {
  const order: number[] = [];
  const printer = new Printer({ write: (fd) => void order.push(fd) });
  printer.out("first");
  printer.note("second");
  expect(order).toEqual([1, 2]);
});

test("without a reader on stdout the next output throws, again and again", async () => {
  const printer = new Printer({
    write: () => {
      throw new BrokenPipe();
    },
  });
  printer.out("lost");
  await Promise.resolve();
  expect(printer.stdoutClosed).toBe(true);
  expect(() => printer.out("more")).toThrow(BrokenPipe);
  expect(() => printer.flush()).toThrow(BrokenPipe);
});

test("without a reader on stderr the work goes on", () => {
  let attempts = 0;
  const printer = new Printer({
    write: () => {
      attempts += 1;
      throw new BrokenPipe();
    },
  });
  printer.note("a");
  printer.note("b");
  expect(attempts).toBe(1);
});

test("the transient line is taken away before anything else is written", () => {
  const sink = new Sink();
  const printer = sink.printer();
  printer.transient("working");
  printer.note("done");
  printer.transient("");
  expect(sink.text(2)).toBe("\r\u001b[2Kworking\r\u001b[2Kdone\n");
});
