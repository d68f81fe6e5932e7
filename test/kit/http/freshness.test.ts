import { expect, test } from "bun:test";

import { freshnessOf } from "../../../src/kit/http/freshness.ts";

const CASES: readonly [Record<string, string>, ReturnType<typeof freshnessOf>][] = [
  [{}, { storable: true }],
  [{ "cache-control": "max-age=600, public" }, { storable: true, freshMs: 600_000 }],
  [
    { "cache-control": "public, Max-Age = 600", age: "100" },
    { storable: true, freshMs: 500_000 },
  ],
  [
    { "cache-control": "max-age=5", age: "100" },
    { storable: true, freshMs: 0 },
  ],
  [{ "cache-control": "no-cache, max-age=600" }, { storable: true, freshMs: 0 }],
  [{ "cache-control": "no-store" }, { storable: false }],
  [{ "cache-control": "max-age=many" }, { storable: true }],
  [
    { expires: "Fri, 02 Jan 2026 03:04:15 GMT", date: "Fri, 02 Jan 2026 03:04:05 GMT" },
    { storable: true, freshMs: 10_000 },
  ],
  [{ expires: "0" }, { storable: true, freshMs: 0 }],
  [
    { etag: 'W/"x"', "last-modified": "yesterday" },
    { storable: true, etag: 'W/"x"', lastModified: "yesterday" },
  ],
];

for (const [headers, expected] of CASES) {
  test(JSON.stringify(headers), () => {
    expect(freshnessOf(new Headers(headers))).toEqual(expected);
  });
}
