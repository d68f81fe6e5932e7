import { expect, test } from "bun:test";
import { Waits } from "../../../src/blast/build/waits.ts";

const build = (name: string) => ({ key: `key of ${name}`, label: name });

test("builds that wait for each other are told, over any number of steps", async () => {
  const waits = new Waits();
  const never = new Promise<void>(() => undefined);
  void waits.during(build("a"), build("b"), never);
  void waits.during(build("b"), build("c"), never);
  void waits.during(build("b"), build("d"), never);
  await expect(waits.during(build("d"), build("a"), never)).rejects.toMatchObject({
    code: "E_BUILD",
    message:
      'Cannot build "d": its build requires "a", whose build requires "b", ' +
      'whose build requires "d"',
  });
  await expect(waits.during(build("e"), build("e"), never)).rejects.toMatchObject({
    message: 'Cannot build "e": its build requires itself',
  });
});

test("who waits no more is in nobody's way", async () => {
  const waits = new Waits();
  expect(await waits.during(build("a"), build("b"), Promise.resolve(1))).toBe(1);
  await expect(
    waits.during(build("a"), build("b"), Promise.reject(new Error("no"))),
  ).rejects.toThrow("no");
  expect(await waits.during(build("b"), build("a"), Promise.resolve(2))).toBe(2);
});

test("two that wait for the same count twice", async () => {
  const waits = new Waits();
  let release: () => void = () => undefined;
  const first = new Promise<void>((resolve) => {
    release = resolve;
  });
  const done = waits.during(build("a"), build("b"), first);
  void waits.during(build("a"), build("b"), new Promise<void>(() => undefined));
  release();
  await done;
  await expect(waits.during(build("b"), build("a"), first)).rejects.toThrow("Cannot build");
});

test("a failure that nobody waits for any more is nobody's business", async () => {
  const waits = new Waits();
  const late = Bun.sleep(5).then(() => Promise.reject(new Error("late")));
  await expect(waits.during(build("a"), build("a"), late)).rejects.toThrow("itself");
  await Bun.sleep(20);
});
