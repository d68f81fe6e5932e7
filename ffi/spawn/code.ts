/**
 * A function in machine code: makes a child that shares our memory until it has become another
 * program (vfork(2)), and has it run a list of system calls. docs/decisions/0014-spawn.md tells
 * why; test/ffi/spawn holds the same in assembler, and compares.
 *
 * Called as `spawn(steps, count, childStack, failure)`. A step is 8 words of 64 bits: the number of
 * the call, six arguments, and flags: 1 goes on although the call fails, 2 puts its result into the
 * first argument of the next step. The last step is execve(2). Where a step fails, the child writes
 * to `failure` how many steps were left, with this one, and -errno, and exits with 127. Returns the
 * child's pid, or -errno of clone(2). The child touches no stack, no libc and no errno.
 */
const x64 =
  "53415441554889fb4989f44989cd4889d6bf1141000031d24531d24531c0" +
  "b8380000000f054885c07406415d415c5bc3488b03488b7b08488b731048" +
  "8b53184c8b53204c8b43284c8b4b300f05483d01f0ffff7206f643380174" +
  "13f64338027404488943484883c34049ffcc75c24d89650049894508bf7f" +
  "000000b8e70000000f05f4";

const arm64 =
  "f353bda9f55b01a9fe1300f9f30300aaf40301aaf50303aae10302aa2022" +
  "88d2020080d2030080d2040080d2881b80d2010000d4a00000b4fe1340f9" +
  "f55b41a9f353c3a8c0035fd6680240f9608640a9628e41a9649642a90100" +
  "00d4691e40f91ffc3fb143000054c900003649000836602600f973020191" +
  "940600f161feff54b40200a9e00f80d2c80b80d2010000d4";

/** The code for a processor, as Node names it; undefined where there is none. */
export function spawnCode(architecture: string): Uint8Array | undefined {
  const hex = architecture === "x64" ? x64 : architecture === "arm64" ? arm64 : undefined;
  return hex === undefined ? undefined : Uint8Array.fromHex(hex);
}
