import { afterAll, beforeAll, expect, setDefaultTimeout } from "bun:test";
import { existsSync, statSync } from "node:fs";
import { runTool } from "../support/binary.ts";
import {
  describeUnless,
  firstReason,
  needsProgram,
  needsRoot,
  testUnless,
} from "../support/skip.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";
import { GUEST_REPOSITORY, repositoryDisk, systemToml } from "./declared.ts";
import { espOf, mountPartition, overlayDisk, partitionsOf, rawCopy } from "./disk.ts";
import { firmwareVariables, Guest, type GuestDisk } from "./guest.ts";
import { needsLab } from "./needs.ts";
import { copyEsp, type LoaderEntry, loaderEntries, problemsOf } from "./system-check.ts";

// Whole machines, emulated, which boot again and again.
setDefaultTimeout(1_800_000);

const BOOT = { limitMs: 400_000 };
const reason = firstReason(
  needsLab(),
  needsRoot(),
  needsProgram("mkfs.btrfs", "mcopy", "sfdisk", "qemu-img", "losetup"),
);
const test = testUnless(reason);

let work: Workspace;
let repository: GuestDisk;
/** Each test goes on where the one before has left the machine. */
let guest: Guest;

describeUnless(reason)("a system from nothing, by the compiled executable", () => {
  beforeAll(async () => {
    work = createWorkspace();
    const guestServers = [`file://${GUEST_REPOSITORY}`];
    const two = { hostname: "lab-two", packages: ["hello-service", "extra"] };
    const three = { hostname: "lab-three", packages: ["hello-service", "extra", "bad-service"] };
    const declared = { loader: "systemd-boot", servers: guestServers } as const;
    const made = await repositoryDisk(work, {
      "two.toml": systemToml({ ...declared, ...two, services: ["hello-service"] }),
      "three.toml": systemToml({
        ...declared,
        ...three,
        services: ["hello-service", "bad-service"],
      }),
    });
    repository = made.disk;
    for (const loader of ["systemd-boot", "grub"] as const) {
      const one = {
        hostname: "lab-one",
        packages: ["hello-service", ...(loader === "grub" ? ["grub"] : [])],
        services: ["hello-service"],
        loader,
        servers: [...made.repository.servers, ...guestServers],
      };
      work.write(`${loader}.toml`, systemToml(one));
    }
  });

  afterAll(async () => {
    await guest?.[Symbol.asyncDispose]();
    work[Symbol.dispose]();
  });

  test("an image is built from a system.toml", async () => {
    await buildImage("systemd-boot");
    expect(loaderEntries(espFiles(imageOf("systemd-boot"), "esp-0"))).toHaveLength(1);
  });

  test("systemd-boot boots it, to a service that rinit runs", async () => {
    guest = Guest.start({
      firmware: "uefi",
      variables: firmwareVariables(work.at("variables")),
      disks: [
        overlayDisk({ path: imageOf("systemd-boot"), format: "raw" }, work.at("disk.qcow2")),
        repository,
      ],
      reboots: true,
    });
    await hasBooted(guest, "lab-one");
    await blessed("rastos-0-1");
    await succeed("rastos status --json");
  });

  test("one more package is a new snapshot, which boots and is blessed", async () => {
    await succeed(`mkdir -p ${GUEST_REPOSITORY} && mount /dev/vdb ${GUEST_REPOSITORY}`);
    await succeed(`rastos apply ${GUEST_REPOSITORY}/two.toml --yes`);
    guest.send("0 reboot");
    await hasBooted(guest, "lab-two");
    expect(await succeed("extra")).toContain("extra runs");
    await blessed("rastos-1-2");
  });

  test("one with a service that never gets healthy falls back, and is told why", async () => {
    await succeed(`mkdir -p ${GUEST_REPOSITORY} && mount /dev/vdb ${GUEST_REPOSITORY}`);
    await succeed(`rastos apply ${GUEST_REPOSITORY}/three.toml --yes`);
    guest.send("0 reboot");
    await guest.waitFor("bad: this will not do", BOOT);
    await hasBooted(guest, "lab-two");
    expect(await succeed("rastos status")).toContain("bad-service");
    guest.send("0 poweroff");
    await guest.ended();
  });

  test("its disk holds what was said", () => {
    const raw = rawCopy({ path: work.at("disk.qcow2"), format: "qcow2" }, work.at("after.raw"));
    const esp = espFiles(raw.path, "esp-1");
    const entries = loaderEntries(esp);
    expect(entries.map(standing)).toEqual(["rastos-0-1 good", "rastos-1-2 good", "rastos-2-3 bad"]);
    const top = partitionsOf(raw.path).at(-1)!;
    using mounted = mountPartition(raw.path, top, { at: work.at("top") });
    expect(problemsOf({ top: mounted.path, esp })).toEqual([]);
    const deploy = work.at("top/.snapshots/deploy");
    expect(existsSync(`${deploy}/deploy-0-1/usr/bin/extra`)).toBe(false);
    expect(existsSync(`${deploy}/deploy-1-2/usr/bin/extra`)).toBe(true);
  });

  test("GRUB boots the same on a machine with a BIOS", async () => {
    await buildImage("grub");
    await using bios = Guest.start({
      firmware: "bios",
      disks: [overlayDisk({ path: imageOf("grub"), format: "raw" }, work.at("bios.qcow2"))],
    });
    await hasBooted(bios, "lab-one");
    bios.send("0 poweroff");
    await bios.ended();
  });
});

/** Its service and its console are there, the one before the other or after it. */
async function hasBooted(machine: Guest, hostname: string): Promise<void> {
  const signs = [`hello: this is ${hostname}\n`, `lab: console ${hostname}\n`];
  await machine.waitForAll(signs, BOOT);
}

/** Runs a command in the guest; a failure is told with what it has printed. */
async function succeed(command: string): Promise<string> {
  const result = await guest.run(command, BOOT);
  expect({ command, ...result }).toMatchObject({ code: 0 });
  return result.output;
}

/** Until the entry of a deployment has no counter any more. */
async function blessed(entry: string): Promise<void> {
  const json = `"entry":"${entry}",[^}]*"state":"good"`;
  await succeed(`until rastos status --json | grep -q '${json}'; do sleep 1; done`);
}

function imageOf(loader: string): string {
  return work.at(`${loader}.raw`);
}

async function buildImage(loader: string): Promise<void> {
  const image = imageOf(loader);
  const words = ["image", "build", work.at(`${loader}.toml`), "-o", image, "--size", "2G"];
  // Of its own: packages of the same name and version are others in each run.
  words.push("--esp-size", "200M", "--cache", work.at("packages"));
  const built = await runTool("rastos", words, { timeoutMs: 300_000 });
  expect(built.stderr).not.toContain("error:");
  expect(built.code).toBe(0);
  expect(statSync(image).size).toBe(2 ** 31);
}

function espFiles(image: string, name: string): string {
  return copyEsp(image, espOf(image).offset, work.at(name));
}

function standing({ name, triesLeft }: LoaderEntry): string {
  if (triesLeft === undefined) return `${name} good`;
  return `${name} ${triesLeft === 0 ? "bad" : "trying"}`;
}
