import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  answersTo,
  Browsing,
  labelOf,
  numberedLabel,
  recordsOf,
  SERVICE,
} from "../../../src/blit/discover/service-records.ts";

const daemon = { name: "nas", host: "nas", port: 9031, txt: { version: "1" } };

test("records say what they were made of", () => {
  const browsing = new Browsing();
  browsing.take({ answers: recordsOf(daemon, "10.0.0.7") }, "10.0.0.9");
  expect(browsing.found()).toEqual([{ ...daemon, address: "10.0.0.7" }]);
});

test("a daemon that says goodbye is forgotten", () => {
  const browsing = new Browsing();
  browsing.take({ answers: recordsOf(daemon, "10.0.0.7") }, "10.0.0.7");
  browsing.take({ answers: recordsOf(daemon, "10.0.0.7", true) }, "10.0.0.7");
  expect(browsing.found()).toEqual([]);
});

test("without an address, the one that the answer came from is taken", () => {
  const browsing = new Browsing();
  const records = recordsOf(daemon, "").filter(({ type }) => type !== "A");
  browsing.take({ additionals: records }, "10.0.0.9");
  expect(browsing.found()[0]?.address).toBe("10.0.0.9");
});

test("answers what is asked, and nothing else", () => {
  const ask = (name: string, type: "PTR" | "SRV" | "A" | "ANY") =>
    answersTo({ questions: [{ name, type }] }, daemon, "10.0.0.7")?.answers.map((one) => one.type);
  expect(ask(SERVICE.toUpperCase(), "PTR")).toEqual(["PTR"]);
  expect(ask(`nas.${SERVICE}`, "ANY")).toEqual(["SRV", "TXT"]);
  expect(ask("nas.local", "A")).toEqual(["A"]);
  expect(ask("_services._dns-sd._udp.local", "PTR")).toEqual(["PTR"]);
  expect(ask(`other.${SERVICE}`, "SRV")).toBeUndefined();
  expect(ask("_http._tcp.local", "PTR")).toBeUndefined();
});

test("any name becomes one label of at most 63 bytes", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }),
      fc.integer({ min: 2, max: 99 }),
      (text, number) => {
        for (const label of [labelOf(text), numberedLabel(labelOf(text), number)]) {
          expect(Buffer.byteLength(label)).toBeLessThanOrEqual(63);
          expect(label).not.toContain(".");
          expect(label).not.toBe("");
        }
      },
    ),
  );
});

test("anything may arrive", () => {
  const browsing = new Browsing();
  const record = fc.record({
    name: fc.oneof(fc.string(), fc.constantFrom(SERVICE, `.${SERVICE}`, `a.${SERVICE}`)),
    type: fc.constantFrom("A", "SRV", "TXT", "PTR"),
    ttl: fc.nat(),
    data: fc.oneof(
      fc.string(),
      fc.record({ target: fc.string(), port: fc.nat() }),
      fc.array(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
    ),
  });
  fc.assert(
    fc.property(fc.array(record), (answers) => {
      // dns-packet makes records of the type that they say, from whatever bytes.
      const fitting = answers.filter(({ type, data }) =>
        type === "SRV" ? typeof data === "object" && "port" in data : typeof data === "string",
      );
      browsing.take({ answers: fitting as ReturnType<typeof recordsOf> }, "10.0.0.1");
      expect(browsing.found().length).toBeLessThanOrEqual(1000);
    }),
  );
});
