import { expect, test } from "bun:test";
import { CompileWatch } from "../../../src/rastos/kernel/compile-watch.ts";

function watch(text: string): CompileWatch {
  const made = new CompileWatch();
  for (const line of text.split("\n")) made.add(line);
  return made;
}

test("counts what is compiled, not what the machine itself needs", () => {
  const made = watch(`  HOSTCC  scripts/basic/fixdep
  SYNC    include/config/auto.conf
  CC      init/main.o
  AS      arch/x86/entry/entry_64.o
  CC [M]  fs/btrfs/super.o
  AR      fs/built-in.a
  LD      vmlinux.o`);
  expect([made.compiled, made.current]).toEqual([3, "vmlinux.o"]);
});

test("counts the same when every command is shown", () => {
  const include = " -I/source/include".repeat(200);
  const made =
    watch(`  gcc -Wp,-MMD,scripts/mod/.modpost.o.d${include} -c -o scripts/mod/modpost.o x.c
  gcc -Wp,-MMD,fs/btrfs/.super.o.d${include} -c -o fs/btrfs/super.o /s/super.c ; ./tools
  ld -m elf_x86_64 -r -o fs/btrfs/btrfs.o`);
  expect([made.compiled, made.current]).toEqual([1, "fs/btrfs/super.o"]);
});

test("the first error of the compiler is the message, with its place", () => {
  const made = watch(`  CC      fs/a.o
  CC      fs/b.o
../fs/a.c: In function 'f':
../fs/a.c:12:5: error: 'x' undeclared (first use in this function)
   12 |     x = 1;
      |     ^
make[3]: *** [../scripts/Makefile.build:250: fs/a.o] Error 1
../fs/b.c:1:1: error: another`);
  const fault = made.fault("build the kernel", "/x/build.log", 2);
  expect(fault.code).toBe("E_BUILD");
  expect(fault.message).toBe(
    "Cannot build the kernel: fs/a.c:12:5: error: 'x' undeclared (first use in this function)",
  );
  expect(fault.excerpt).toEqual(["   12 |     x = 1;", "      |     ^"]);
  expect(fault.hint).toContain("/x/build.log");
});

test("without one, what make or the linker says", () => {
  const made = watch(
    "  LD      vmlinux\nld: a.o: undefined reference to `f'\nmake: *** [x] Error 1",
  );
  expect(made.fault("build", "log", 2).message).toContain("undefined reference to `f'");
  expect(watch("nothing").fault("build", "log", undefined).message).toContain("a signal");
});
