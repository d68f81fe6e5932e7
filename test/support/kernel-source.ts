import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Workspace } from "./workspace.ts";

/** Debian's package linux-source-6.1 brings it. */
const ARCHIVE = "/usr/src/linux-source-6.1.tar.xz";

/** A reason when there are no sources of a kernel to unpack. */
export function needsKernelSource(): string | undefined {
  return existsSync(ARCHIVE) ? undefined : "needs linux-source-6.1";
}

/** The sources of Linux 6.1, unpacked once (1.5 GB) and kept for later runs. */
export function realKernelSource(): string {
  // Not the tests' own HOME, which goes with them.
  const cache = join(homedir(), ".cache/triad-lab");
  const folder = join(cache, "linux-source-6.1");
  if (existsSync(join(folder, "Kconfig"))) return folder;
  const scratch = join(cache, `linux-source-${process.pid}`);
  mkdirSync(scratch, { recursive: true });
  try {
    const { success } = Bun.spawnSync(["tar", "-xJf", ARCHIVE, "-C", scratch]);
    if (!success) throw new Error(`Cannot unpack ${ARCHIVE}`);
    renameSync(join(scratch, "linux-source-6.1"), folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return folder;
}

/**
 * Something with the targets of a kernel's Makefile that "compiles" in no time. In the final
 * configuration `CONFIG_LOST` is gone, and `CONFIG_BROKEN=y` ends the build as gcc would end it.
 *
 * @param all the recipe of the target "all"; by default it prints three compiled files
 */
export function fakeKernelSource(work: Workspace, all = defaultAll): string {
  work.write("linux/Kconfig", 'config LOST\n\tbool "Lost"\n\tdepends on FOUND\n');
  work.write("linux/init/Makefile", "obj-y := a.o b.o\n");
  work.write(
    "linux/Makefile",
    `VERSION = 6
PATCHLEVEL = 9
SUBLEVEL = 3
EXTRAVERSION = -test
defconfig:
	printf 'CONFIG_MODULES=y\\nCONFIG_KEXEC=y\\n' > $(O)/.config
olddefconfig:
	sed -i '/CONFIG_LOST=/d' $(O)/.config
all:
${all}
modules_install:
	mkdir -p $(INSTALL_MOD_PATH)/lib/modules/6.9.3-test/kernel
	echo module > $(INSTALL_MOD_PATH)/lib/modules/6.9.3-test/kernel/a.ko
	ln -s $(O) $(INSTALL_MOD_PATH)/lib/modules/6.9.3-test/build
image_name:
	@echo arch/x86/boot/bzImage
.PHONY: defconfig olddefconfig all modules_install image_name
`,
  );
  return work.at("linux");
}

const defaultAll = `	@! grep -q CONFIG_BROKEN=y $(O)/.config || \\
	  { printf '../init/b.c:7:3: error: no\\n'; exit 1; }
	@printf '  CC      init/a.o\\n  CC      init/b.o\\n  CC [M]  a.o\\n  LD      vmlinux\\n'
	@mkdir -p $(O)/arch/x86/boot $(O)/include/config
	@echo image $(KBUILD_BUILD_USER) $(KBUILD_BUILD_TIMESTAMP) > $(O)/arch/x86/boot/bzImage
	@echo map > $(O)/System.map
	@echo kernel/fs/btrfs/btrfs.ko > $(O)/modules.builtin
	@echo btrfs.file=fs/btrfs/btrfs > $(O)/modules.builtin.modinfo
	@echo 6.9.3-test > $(O)/include/config/kernel.release`;
