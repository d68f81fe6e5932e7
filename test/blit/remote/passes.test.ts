import { describe, expect, test } from "bun:test";
import { cancelReason, counter } from "../../../src/blit/engine/shared-state.ts";
import type { Link, PassOutcome } from "../../../src/blit/remote/link.ts";
import { Passes, type PassesRequest } from "../../../src/blit/remote/passes.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";

type Step = {
  readonly source?: Record<number, number>;
  readonly target?: Record<number, number>;
  readonly deletable?: number;
  readonly again?: boolean;
  readonly skipped?: string;
  readonly issues?: readonly string[];
};

function counts(values: Record<number, number> = {}): number[] {
  return Array.from({ length: 32 }, (_, column) => values[column] ?? 0);
}

function outcomeOf(step: Step): PassOutcome {
  const issues = (step.issues ?? []).map(
    (path) =>
      ({ kind: "skipped", root: 0, path, code: "E", call: undefined, message: "m" }) as const,
  );
  const source = { counts: counts({ [counter.seen]: 1, ...step.source }), issues: [] };
  return {
    source: { ...source, listingErrors: 0, cancelled: 0 },
    target: {
      counts: counts(step.target),
      issues,
      actions: [],
      deletable: step.deletable ?? 0,
      deletionsSkipped: step.skipped,
      needsAnotherPass: step.again ?? false,
      cancelled: 0,
    },
  };
}

/** A link whose passes come to what the steps say; a step that is undefined never ends. */
function fakeLink(steps: readonly (Step | undefined)[]) {
  const ran: string[] = [];
  const cancelled: number[] = [];
  const link = {
    runPass: (purpose: string, agreed: number | undefined) => {
      const step = steps[ran.length];
      ran.push(agreed === undefined ? purpose : `${purpose} ${agreed}`);
      return step === undefined ? new Promise(() => {}) : Promise.resolve(outcomeOf(step));
    },
    progress: () => ({
      source: { counts: counts({ [counter.seen]: 9 }), isFinal: false },
      target: { counts: counts({ [counter.files]: 2 }), isFinal: false },
    }),
    cancel: (reason: number) => cancelled.push(reason),
  } as unknown as Link;
  return { link, ran, cancelled };
}

const plain: PassesRequest = {
  command: "copy",
  purpose: "transfer",
  yes: false,
  maxDelete: undefined,
  allowEmptySource: false,
  target: "s:/m/",
};

function passesOver(link: Link, request: Partial<PassesRequest>, answer = true) {
  const asked: number[] = [];
  const passes = new Passes(
    link,
    { ...plain, ...request },
    {
      confirmDeletion: async (entries) => {
        asked.push(entries);
        return answer;
      },
    },
  );
  return { passes, asked };
}

async function faultOf(run: Promise<unknown>): Promise<string> {
  const error = await run.catch((reason: unknown) => reason);
  return error instanceof Fault ? `${error.code}: ${error.message}` : "none";
}

describe("passes", () => {
  test("a copy is one, a move settles, a plan changes nothing", async () => {
    for (const [request, expected] of [
      [{}, ["transfer"]],
      [{ command: "move" }, ["transfer", "settle"]],
      [{ purpose: "plan", command: "mirror" }, ["plan"]],
      [{ purpose: "plan", command: "move" }, ["plan"]],
      [{ command: "mirror", yes: true }, ["transfer"]],
    ] as const) {
      const { link, ran } = fakeLink([{}, {}, {}]);
      await passesOver(link, request).passes.run();
      expect(ran).toEqual([...expected]);
    }
  });

  test("a mirror counts, asks and deletes no more than was agreed to", async () => {
    const { link, ran } = fakeLink([{ deletable: 3 }, {}]);
    const { passes, asked } = passesOver(link, { command: "mirror" });
    await passes.run();
    expect(asked).toEqual([3]);
    expect(ran).toEqual(["count", "transfer 3"]);
  });

  test("where nothing is to be deleted nobody is asked", async () => {
    const { link, ran } = fakeLink([{}, {}]);
    const { passes, asked } = passesOver(link, { command: "mirror" });
    await passes.run();
    expect(asked).toEqual([]);
    expect(ran).toEqual(["count", "transfer 0"]);
  });

  test("nobody agreed, too many, an empty source: refused before anything is changed", async () => {
    const mirror = { command: "mirror" } as const;
    const first = fakeLink([{ deletable: 2 }]);
    expect(await faultOf(passesOver(first.link, mirror, false).passes.run())).toBe(
      "E_CONFIRM: Cannot delete 2 entries of the target: nobody agreed to it",
    );
    expect(first.ran).toEqual(["count"]);
    const second = fakeLink([{ deletable: 2 }]);
    const capped = { ...mirror, yes: true, maxDelete: 1 };
    expect(await faultOf(passesOver(second.link, capped).passes.run())).toBe(
      "E_REFUSED: Refusing to delete 2 entries: --max-delete allows 1",
    );
    const third = fakeLink([{ source: { [counter.seen]: 0 } }]);
    expect(await faultOf(passesOver(third.link, mirror).passes.run())).toBe(
      'E_REFUSED: Refusing to mirror an empty source onto "s:/m/"',
    );
    const allowed = fakeLink([{ source: { [counter.seen]: 0 } }]);
    const request = { ...mirror, yes: true, allowEmptySource: true };
    expect(await faultOf(passesOver(allowed.link, request).passes.run())).toBe("none");
  });

  test("counts of both sides and of all passes, nothing twice", async () => {
    const { link, ran } = fakeLink([
      {
        source: { [counter.seen]: 5, [counter.bytesDone]: 70, [counter.vanished]: 1 },
        target: { [counter.files]: 2, [counter.upToDate]: 3, [counter.bytesDone]: 80 },
        again: true,
        issues: ["a", "b"],
      },
      {
        source: { [counter.seen]: 5 },
        target: { [counter.files]: 1, [counter.upToDate]: 5, [counter.skipped]: 0 },
        issues: ["b"],
      },
      { source: { [counter.seen]: 5, [counter.moved]: 6 }, target: { [counter.upToDate]: 6 } },
    ]);
    const outcome = await passesOver(link, { command: "move" }).passes.run();
    expect(ran).toEqual(["transfer", "transfer", "settle"]);
    const of = (column: number): number => outcome.counts[column] ?? 0;
    expect(of(counter.seen)).toBe(5);
    expect(of(counter.bytesDone)).toBe(80);
    expect(of(counter.vanished)).toBe(1);
    expect(of(counter.files)).toBe(3);
    expect(of(counter.upToDate)).toBe(3);
    expect(of(counter.moved)).toBe(6);
    expect(outcome.issues.map((issue) => issue.path)).toEqual(["a", "b"]);
  });

  test("passes that always want another one come to an end, and that is told", async () => {
    for (const command of ["mirror", "move"] as const) {
      const { link, ran } = fakeLink(Array.from({ length: 10 }, () => ({ again: true })));
      const outcome = await passesOver(link, { command, yes: true }).passes.run();
      // Nothing leaves the source of what may not have come.
      expect(ran).toEqual(Array.from({ length: 4 }, () => "transfer"));
      expect(outcome.issues).toMatchObject([{ kind: "failed", code: "E_CONFLICT" }]);
      expect(outcome.counts[counter.failed]).toBe(1);
    }
  });

  test("an interruption stops both sides and tells what was done", async () => {
    const { link, ran, cancelled } = fakeLink([undefined]);
    const { passes } = passesOver(link, { command: "move" });
    const running = passes.run();
    await Promise.resolve();
    passes.cancel(cancelReason.interrupted);
    const outcome = await running;
    expect(cancelled).toEqual([cancelReason.interrupted]);
    expect(ran).toEqual(["transfer"]);
    expect(outcome.cancelled).toBe(cancelReason.interrupted);
    expect(outcome.counts[counter.files]).toBe(2);
  });
});
