import { expect, test } from "bun:test";
import { existsSync, lstatSync, readlinkSync, symlinkSync } from "node:fs";
import { changeLinks, enabledServices } from "../../../src/rastos/service/enable.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("a link for each service, made once and removed once", () => {
  using work = createWorkspace();
  work.write("usr/lib/rinit/sshd.toml");
  work.write("usr/lib/rinit/getty@.toml");
  work.write("etc/rinit/own.toml");
  const root = work.path;
  const services = ["sshd", "getty@tty1", "own"];
  const enable = () => changeLinks({ root, services, action: "enable" }).map((one) => one.action);
  changeLinks({ root, services, action: "enable", isDry: true });
  expect(enabledServices(root)).toEqual([]);
  expect(enable()).toEqual(["enable", "enable", "enable"]);
  expect(enable()).toEqual(["none", "none", "none"]);
  expect(enabledServices(root)).toEqual(["getty@tty1", "own", "sshd"]);
  const target = (name: string) => readlinkSync(work.at(`etc/rinit/enabled/${name}.toml`));
  expect(services.map(target)).toEqual([
    "/usr/lib/rinit/sshd.toml",
    "/usr/lib/rinit/getty@.toml",
    "/etc/rinit/own.toml",
  ]);
  const disable = () => changeLinks({ root, services: ["sshd"], action: "disable" })[0]?.action;
  expect([disable(), disable()]).toEqual(["disable", "none"]);
  expect(enabledServices(root)).toEqual(["getty@tty1", "own"]);
});

test("a service that no file defines changes nothing, also not those beside it", () => {
  using work = createWorkspace();
  work.write("etc/rinit/good.toml");
  for (const bad of ["nothing", "../good", "a/b"]) {
    const options = { root: work.path, services: ["good", bad], action: "enable" } as const;
    expect(() => changeLinks(options)).toThrow(expect.objectContaining({ code: "E_NOT_FOUND" }));
  }
  expect(enabledServices(work.path)).toEqual([]);
});

test("links in a foreign root lead nowhere out of it", () => {
  using work = createWorkspace();
  work.folder("outside");
  work.write("root/usr/lib/rinit/sshd.toml");
  symlinkSync(work.at("outside"), work.at("root/etc"));
  const options = { root: work.at("root"), services: ["sshd"], action: "enable" } as const;
  expect(() => changeLinks(options)).toThrow();
  expect(existsSync(work.at("outside/rinit"))).toBe(false);
  expect(lstatSync(work.at("outside")).isDirectory()).toBe(true);
});
