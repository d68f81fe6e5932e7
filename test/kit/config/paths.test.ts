import { expect, test } from "bun:test";
import { homedir } from "node:os";
import { xdgPaths } from "../../../src/kit/config/paths.ts";

test("the defaults lie in the home folder", () => {
  expect(xdgPaths({ HOME: "/home/me" })).toEqual({
    config: "/home/me/.config",
    cache: "/home/me/.cache",
    state: "/home/me/.local/state",
    data: "/home/me/.local/share",
    runtime: undefined,
    systemConfig: ["/etc/xdg"],
  });
});

test("absolute values count", () => {
  const paths = xdgPaths({
    HOME: "/home/me",
    XDG_CONFIG_HOME: "/c",
    XDG_CACHE_HOME: "/k",
    XDG_STATE_HOME: "/s",
    XDG_DATA_HOME: "/d",
    XDG_RUNTIME_DIR: "/r",
    XDG_CONFIG_DIRS: "/one:/two",
  });
  expect(paths).toEqual({
    config: "/c",
    cache: "/k",
    state: "/s",
    data: "/d",
    runtime: "/r",
    systemConfig: ["/one", "/two"],
  });
});

test("relative and empty values are ignored, as the specification says", () => {
  const odd = { XDG_CONFIG_HOME: "c", XDG_CACHE_HOME: "", XDG_RUNTIME_DIR: "./r" };
  const paths = xdgPaths({ HOME: "/h", ...odd, XDG_CONFIG_DIRS: "rel::/abs" });
  expect(paths.config).toBe("/h/.config");
  expect(paths.cache).toBe("/h/.cache");
  expect(paths.runtime).toBeUndefined();
  expect(paths.systemConfig).toEqual(["/abs"]);
});

test("without HOME the user database decides", () => {
  expect(xdgPaths({}).config).toBe(`${homedir()}/.config`);
});
