import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { linkSync } from "node:fs";
import { counter } from "../../../src/blit/engine/shared-state.ts";
import type { SendRequest } from "../../../src/blit/send/send-session.ts";
import { StreamTransfer } from "../../support/stream-transfer.ts";
import { differences } from "../../support/tree.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

setDefaultTimeout(60_000);

const MIB = 1024 * 1024;
const FOLDERS = 300;

let work: Workspace;
beforeEach(() => {
  work = createWorkspace();
  for (let folder = 0; folder < FOLDERS; folder++) {
    for (let file = 0; file < 4; file++) {
      work.write(`source/d${folder % 7}/d${folder}/f${file}`, randomBytes(4000 + file));
    }
  }
  work.write("source/large", randomBytes(24 * MIB));
  work.write("source/d3/large", randomBytes(20 * MIB));
  linkSync(work.at("source/d3/large"), work.at("source/d4/linked"));
});
afterEach(() => work[Symbol.dispose]());

/** Sends the tree slowly enough for a dozen changes. @returns bytes by stream, of the source */
async function send(
  streams: number,
  step: (call: number) => number,
): Promise<{ readonly calls: number; readonly items: readonly number[] }> {
  let calls = 0;
  const tuner: SendRequest["tuner"] = () => ({ step: () => step(calls++) });
  const options = { bytesPerSecond: 24 * MIB };
  const sources = [work.at("source/")];
  const transfer = { sources, target: work.at("target"), options, streams, tuner };
  await using open = await StreamTransfer.open(transfer);
  const { source, target } = await open.pass();
  expect(source.issues).toEqual([]);
  expect(target.issues).toEqual([]);
  expect(differences(`${work.at("source")}/`, `${work.at("target")}/`)).toBe("");
  const { shared } = open.send;
  const items = Array.from({ length: streams }, (_, row) => {
    return shared.row(row + 1)[counter.itemsDone] ?? 0;
  });
  return { calls, items };
}

test("streams that come and go as fast as they can: everything arrives, once", async () => {
  const { calls } = await send(3, (call) => [3, 1, 2, 1][call % 4] ?? 3);
  expect(calls).toBeGreaterThan(3);
});

test("all but the first are parked from the start on: the first does their work", async () => {
  const { calls, items } = await send(3, () => 1);
  expect(calls).toBeGreaterThan(3);
  expect(items[0]).toBeGreaterThan(1000);
  expect(items.slice(1)).toEqual([0, 0]);
});
