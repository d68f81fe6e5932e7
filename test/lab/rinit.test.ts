import { expect, setDefaultTimeout } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { defaultServices } from "../../src/rastos/service/default-services.ts";
import { binaryPath } from "../support/binary.ts";
import { firstReason, needsProgram, testUnless } from "../support/skip.ts";
import { createWorkspace } from "../support/workspace.ts";
import { output } from "./cache.ts";
import { Guest } from "./guest.ts";
import { writeInitramfs } from "./initramfs.ts";
import { labKernel } from "./kernel.ts";
import { needsLab } from "./needs.ts";

// A whole machine, emulated.
setDefaultTimeout(600_000);

const SERVICES: Readonly<Record<string, string>> = {
  default: 'wants = ["network", "login", "probe", "hog", "terminal", "witness"]',
  login: `
    requires = ["basic"]
    after = ["probe", "hog", "terminal", "witness"]
    tty = "/dev/ttyS0"
    exec = ["/bin/sh", "-i"]
    environment = { PS1 = "lab> ", ENV = "/dev/null" }
    restart = "always"`,
  probe: `
    type = "oneshot"
    requires = ["basic"]
    log.to_console = true
    shell = """
      echo "host: $(hostname), me: $$"
      for path in /proc /sys /dev /dev/pts /dev/shm /run /tmp /sys/fs/cgroup /mnt; do
        grep -q " $path " /proc/mounts && echo "mounted: $path"
      done
      ip addr show lo | grep -q 'LOOPBACK,UP' && echo "lo: up"
      cat /proc/self/cgroup
    """`,
  hog: `
    restart = "never"
    limits = { memory = "24M", pids = 20, cpu = "50%" }
    shell = "cat /sys/fs/cgroup/rinit/hog/cpu.max; exec tail /dev/zero"`,
  terminal: `
    type = "oneshot"
    tty = "auto"
    only_if = ["/dev/tty0"]
    shell = "tty > /run/terminal"`,
  witness: `
    requires = ["basic"]
    shell = """
      trap 'echo stopped in order > /mnt/witness; exit 0' TERM
      while :; do sleep 0.2; done
    """`,
};

const FILES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(defaultServices().map(({ path, content }) => [path, content])),
  ...Object.fromEntries(
    Object.entries(SERVICES).map(([name, text]) => [`etc/rinit/${name}.toml`, text]),
  ),
  "etc/hostname": "# the lab's\nlabhost\n",
  "etc/fstab": "/dev/vda /mnt ext4 defaults 0 0\n",
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
  "etc/group": "root:x:0:\n",
};

/** Lines of sh that write the files. */
function writeFiles(): string[] {
  return Object.entries(FILES).flatMap(([path, text]) => [
    `mkdir -p "/${path.slice(0, path.lastIndexOf("/"))}"`,
    `echo ${Buffer.from(text).toString("base64")} | base64 -d > "/${path}"`,
  ]);
}

testUnless(firstReason(needsLab("short"), needsProgram("mkfs.ext4", "debugfs")))(
  "rinit is the first process of a machine, from the first mount to power-off",
  async () => {
    using work = createWorkspace();
    const disk = work.at("disk");
    writeFileSync(disk, "");
    truncateSync(disk, 64 << 20);
    output(["mkfs.ext4", "-q", "-F", disk]);
    const kernel = labKernel("cloud");
    const initrd = work.at("initramfs");
    const modules = ["virtio_pci", "virtio_blk", "crc32c_generic", "ext4"];
    writeInitramfs(initrd, {
      kernel,
      modules,
      named: { init: await binaryPath() },
      script: [
        "ln -s init /bin/rastos",
        ...writeFiles(),
        // Bun itself needs /proc: initial ram disks hand it over.
        "cd /; umount /tmp /dev /sys; rm -rf /modules",
        "exec /bin/init quiet splash -unknown",
      ],
    });
    await using guest = Guest.start({
      kernel: { image: kernel.image, initrd, options: "panic=-1" },
      disks: [{ path: disk, format: "raw" }],
    });
    await guest.waitFor("lab> ", { limitMs: 120_000 });
    const run = async (command: string): Promise<string> => {
      const from = guest.text.length;
      // Not as it is echoed.
      guest.send(`${command}; echo "over"-$?`);
      await guest.waitFor(/^over-\d+$/m);
      await guest.waitFor("lab> ");
      return guest.text.slice(from);
    };
    expect(guest.text).not.toContain("job control turned off");
    // It is killed when it has taken its memory, not when it has been started.
    const hog = await run(
      "for n in $(seq 20); do rastos service status hog | grep -q 'signal 9' && break; sleep 1; " +
        "done; rastos service status hog; rastos service logs hog",
    );
    expect(hog).toContain("killed by signal 9");
    expect(hog).toContain("50000 100000");
    expect(await run("rastos service list; cat /run/terminal")).toMatch(/login +- +up/);
    const memory = await run("grep VmRSS /proc/1/status");
    expect(Number(/VmRSS:\s+(\d+) kB/.exec(memory)?.[1])).toBeLessThan(90 * 1024);
    guest.send("rastos poweroff");
    await guest.ended({ limitMs: 60_000 });
    expect(guest.text).not.toContain("Kernel panic");
    // What a process prints last may be read after its end.
    const mounted = [...guest.text.matchAll(/mounted: (\S+)/g)].map(([, path]) => path);
    const wanted = "/proc /sys /dev /dev/pts /dev/shm /run /tmp /sys/fs/cgroup /mnt";
    expect(mounted).toEqual(wanted.split(" "));
    expect(guest.text).toContain("host: labhost");
    expect(guest.text).toContain("lo: up");
    expect(guest.text).toContain("0::/rinit/probe");
    // The disk was unmounted, and after the last word of the service.
    expect(output(["debugfs", "-R", "cat witness", disk])).toBe("stopped in order\n");
    expect(output(["dumpe2fs", "-h", disk])).toMatch(/Filesystem state: +clean/);
  },
);
