import { expect, test } from "bun:test";
import { aurAddress } from "../../../src/rastos/aur/address.ts";
import { AurRpc } from "../../../src/rastos/aur/rpc.ts";
import { startAurServer } from "../../support/aur-server.ts";
import { startWebServer } from "../../support/web-server.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("info, search, suggestions", async () => {
  using work = createWorkspace();
  await using aur = startAurServer(work.path);
  aur.publish({
    base: "tool",
    packages: { tool: [], "tool-docs": ["provides = manual"] },
    script: "",
  });
  const rpc = new AurRpc(aur.url, {});
  expect(await rpc.info(["tool-docs", "gone"])).toMatchObject([
    {
      name: "tool-docs",
      base: "tool",
      version: "1.0-1",
      provides: ["manual"],
      maintainer: "tester",
    },
  ]);
  expect((await rpc.search("tool")).map(({ name }) => name)).toEqual(["tool", "tool-docs"]);
  expect((await rpc.search("manual", "provides")).map(({ name }) => name)).toEqual(["tool-docs"]);
  expect(await rpc.suggest("tool-")).toEqual(["tool-docs"]);
  await expect(rpc.search("x")).rejects.toMatchObject({
    code: "E_NETWORK",
    message: "The AUR refuses to answer: Query arg too small.",
  });
  // Hundreds of names do not fit into one address.
  const before = aur.asked.length;
  const names = Array.from({ length: 300 }, (_, number) => `a-long-name-of-a-package-${number}`);
  expect(await rpc.info([...names, "tool"])).toMatchObject([{ name: "tool" }]);
  expect(aur.asked.length - before).toBeGreaterThan(1);
});

test("strange answers are faults, and no foreign names come through", async () => {
  const answers: Record<string, string> = {
    "/rpc/v5/suggest/a": '["ok", "../etc", "-f"]',
    "/rpc/v5/suggest/b": "<html>Log in</html>",
    "/rpc/v5/info": '{"type":"multiinfo","results":[{"Name":"../etc","PackageBase":"x"}]}',
  };
  const routes = Object.entries(answers).map(
    ([path, text]) => [path, () => new Response(text)] as const,
  );
  await using server = startWebServer(Object.fromEntries(routes));
  const rpc = new AurRpc(server.url, {});
  expect(await rpc.suggest("a")).toEqual(["ok"]);
  await expect(rpc.suggest("b")).rejects.toThrow(/Cannot understand/);
  await expect(rpc.info(["x"])).rejects.toThrow(/Cannot understand/);
});

test("the address", () => {
  expect(aurAddress({})).toStartWith("https://aur.");
  expect(aurAddress({ TRIAD_AUR_URL: "http://127.0.0.1:1/" })).toBe("http://127.0.0.1:1");
});
