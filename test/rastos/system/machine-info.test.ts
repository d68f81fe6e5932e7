import { expect, test } from "bun:test";
import { readMachine, readSpace } from "../../../src/rastos/system/machine-info.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("what the kernel's files say", () => {
  using work = createWorkspace();
  work.write("proc/sys/kernel/hostname", "atlas\n");
  work.write("proc/sys/kernel/osrelease", "6.1.0\n");
  work.write("proc/meminfo", "MemTotal:  2048 kB\nMemFree: 1 kB\nMemAvailable:  1024 kB\n");
  work.write("proc/cpuinfo", "processor : 0\nmodel name\t: A Processor\n");
  work.write("proc/1/comm", "rinit\n");
  const variable = "sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
  const text = Buffer.from("systemd-boot 252\0", "utf16le");
  work.write(variable, Buffer.concat([Buffer.from([6, 0, 0, 0]), text]));
  expect(readMachine(`${work.path}/`)).toMatchObject({
    hostname: "atlas",
    kernel: "6.1.0",
    memoryBytes: 2_097_152,
    memoryFreeBytes: 1_048_576,
    processor: "A Processor",
    firmware: "uefi",
    loader: "systemd-boot 252",
    init: "rinit",
  });
  expect(readMachine(`${work.path}/none/`)).toMatchObject({ firmware: "bios", loader: undefined });
});

test("room", () => {
  const { totalBytes = 0, freeBytes = 0 } = readSpace("/") ?? {};
  expect(totalBytes).toBeGreaterThan(freeBytes);
  expect(readSpace("/nonesuch")).toBeUndefined();
});
