import { expect, test } from "bun:test";
import { join } from "node:path";

const MODULE = join(import.meta.dir, "../../../src/kit/proc/exec.ts");

/** A process of its own, for it is replaced. */
function execute(argv: readonly string[], environment: Record<string, string> = {}) {
  const script = `
    const { runInPlace } = await import(${JSON.stringify(MODULE)});
    const [path, ...argv] = ${JSON.stringify(argv)};
    const environment = ${JSON.stringify(environment)};
    process.exitCode = await runInPlace({ path, argv, environment });
  `;
  const child = Bun.spawnSync([process.execPath, "-e", script]);
  return { ...child, text: child.stdout.toString() };
}

test("the program has the pid, the arguments and exactly the environment that were given", () => {
  const script = "import os, sys; print(os.getpid() == int(sys.argv[1]), sys.argv[2:], os.environ)";
  const child = Bun.spawn(
    [
      process.execPath,
      "-e",
      `const { runInPlace } = await import(${JSON.stringify(MODULE)});
       await runInPlace({ path: ${JSON.stringify(Bun.which("python3"))},
         argv: ["python3", "-c", ${JSON.stringify(script)}, String(process.pid), "ü", ""],
         environment: { PATH: "/usr/bin:/bin", "LC_ALL": "C.UTF-8", A: "x=ü", B: undefined } });`,
    ],
    { stdout: "pipe" },
  );
  return new Response(child.stdout).text().then((text) => {
    expect(text).toStartWith("True ['ü', '']");
    expect(text).toContain("'A': 'x=ü'");
    expect(text).not.toContain("'B'");
    expect(text).not.toContain("'HOME'");
  });
});

test("its exit code is the process's own", () => {
  expect(execute(["/bin/sh", "sh", "-c", "exit 37"]).exitCode).toBe(37);
});

test("a broken pipe ends it, as it ends every program of a shell", () => {
  const { text } = execute(["/bin/sh", "sh", "-c", "kill -PIPE $$; echo survived"]);
  expect(text).toBe("");
});

test("a program that is not there throws", () => {
  const { exitCode, stderr } = execute(["/nonexistent/program", "program"]);
  expect(exitCode).not.toBe(0);
  expect(stderr.toString()).toContain("ENOENT");
});
