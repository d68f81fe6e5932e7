import { expect, test } from "bun:test";
import {
  detectMode,
  hostNameOf,
  prepareMachine,
  wantsReadOnlyRoot,
} from "../../../src/rastos/service/early.ts";

test("the host's name is the first line that is one", () => {
  expect(hostNameOf("# comment\n\n  my-host.example \nother\n")).toBe("my-host.example");
  for (const bad of ["", "# only", "two words", "-dash", "a".repeat(65)]) {
    expect(hostNameOf(bad)).toBeUndefined();
  }
});

test("/ stays read-only only where fstab says so", () => {
  expect(wantsReadOnlyRoot("UUID=1 / btrfs ro,noatime 0 0")).toBe(true);
  expect(wantsReadOnlyRoot("UUID=1 / btrfs rw,errors=remount-ro 0 0")).toBe(false);
  expect(wantsReadOnlyRoot("#UUID=1 / btrfs ro 0 0\nx /home ext4 ro 0 0")).toBe(false);
  expect(wantsReadOnlyRoot("")).toBe(false);
});

test("below another init nothing of the machine is touched", () => {
  expect(detectMode()).toBe("supervisor");
  const said: string[] = [];
  prepareMachine("supervisor", (text) => said.push(text));
  expect(said).toEqual([]);
});
