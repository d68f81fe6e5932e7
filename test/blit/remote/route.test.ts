import { describe, expect, test } from "bun:test";
import { routeOf, sessionPath } from "../../../src/blit/remote/route.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";

function refusal(command: string, sources: string[], target: string): string {
  try {
    routeOf(command, sources, target);
  } catch (error) {
    if (error instanceof Fault) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "taken";
}

describe("which way a transfer goes", () => {
  test("to a server, from a server, between servers", () => {
    expect(routeOf("copy", ["a", "./b:c"], "s:/m/x/")).toMatchObject({
      kind: "push",
      sources: ["a", "./b:c"],
      target: { host: "s", module: "m", path: "x/" },
    });
    expect(routeOf("copy", ["s:/m/a", "s:9031:/m/b/"], "here")).toMatchObject({
      kind: "pull",
      from: { host: "s", port: 9031, module: "m", places: [{ path: "a" }, { path: "b/" }] },
      target: "here",
    });
    expect(routeOf("copy", ["s:/m/a"], "t://x")).toMatchObject({
      kind: "between",
      from: { host: "s" },
      target: { host: "t", module: "" },
    });
  });

  test("a module's root stands for its contents", () => {
    expect(sessionPath({ path: "" })).toBe("./");
    expect(sessionPath({ path: "a/" })).toBe("a/");
  });

  test("sources that do not go together", () => {
    expect(refusal("copy", ["a", "s:/m/b"], "x")).toStartWith("E_USAGE: Cannot copy from here");
    expect(refusal("copy", ["s:/m/a", "s:/n/b"], "x")).toBe(
      'E_USAGE: Cannot copy "s:/m/a" and "s:/n/b" in one run: they are in different modules',
    );
    expect(refusal("copy", ["s:/m/a", "s:1:/m/b"], "x")).toStartWith("E_USAGE");
    expect(refusal("copy", ["a"], "s:/m")).toStartWith('E_USAGE: Cannot use "s:/m"');
  });
});

describe("one daemon on both sides", () => {
  const refused: [string, string, string, string][] = [
    ["copy", "s:/m/a", "s:/m/a", "Cannot copy"],
    ["copy", "s:/m/a/", "S:9031:/m/./a", "Cannot copy"],
    ["move", "s:/m/x/a", "s:/m/x/", "Cannot move"],
    ["copy", "s:/m/a/", "s:/m/a/b", "Cannot copy"],
    ["copy", "s:/m/", "s:/m/b", "Cannot copy"],
    ["copy", "s:/m/a", "s:/m/a/b/", "Cannot copy"],
    ["mirror", "s:/m/a/b/", "s:/m/a/", "Refusing to mirror onto"],
    ["mirror", "s:/m/a/", "s:/m/", "Refusing to mirror onto"],
  ];
  test.each(refused)("%s %s %s is refused", (command, source, target, start) => {
    expect(refusal(command, [source], target)).toStartWith(`E_REFUSED: ${start}`);
  });
  const taken: [string, string, string][] = [
    ["copy", "s:/m/a", "s:/n/a"],
    ["copy", "s:/m/a", "s:/m/b"],
    ["copy", "s:/m/a", "s:/m/ab/"],
    ["copy", "s:/m/a/", "s:/m/"],
    ["mirror", "s:/m/a/b", "s:/m/c"],
    ["copy", "s:/m/a", "t:/m/a"],
  ];
  test.each(taken)("%s %s %s is taken", (command, source, target) => {
    expect(refusal(command, [source], target)).toBe("taken");
  });
});
