import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";

// Other work on the machine may slow these down; none of them depends on time.
setDefaultTimeout(60_000);

const MODULE = join(import.meta.dir, "../../../src/kit/proc/reset-after-first.ts");

/** Sends a signal twice to a program; the second time its main thread is blocked for a minute. */
async function signalTwice(signal: "SIGINT" | "SIGTERM", isReset: boolean) {
  const source = `
    const { resetAfterFirst } = await import(${JSON.stringify(MODULE)});
    const handledMs = ${isReset ? 60_000 : 200};
    process.on("${signal}", () => { console.log("handled"); Bun.sleepSync(handledMs); });
    if (${isReset}) resetAfterFirst("${signal}");
    setTimeout(() => {}, 60_000);
    console.log("ready");`;
  const child = Bun.spawn([process.execPath, "-e", source], { stdout: "pipe" });
  const reader = child.stdout.getReader();
  let text = "";
  const until = async (wanted: string): Promise<void> => {
    while (!text.includes(wanted)) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`ended before "${wanted}": ${text}`);
      text += new TextDecoder().decode(value);
    }
  };
  await until("ready\n");
  child.kill(signal);
  await until("handled\n");
  child.kill(signal);
  if (!isReset) {
    await until("handled\nhandled\n");
    child.kill("SIGKILL");
  }
  await child.exited;
  return { text, signal: child.signalCode };
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`the second ${signal} ends a process that can run no handler`, async () => {
    expect(await signalTwice(signal, true)).toEqual({ text: "ready\nhandled\n", signal });
  });
}

test("without that the handler runs again", async () => {
  const twice = await signalTwice("SIGINT", false);
  expect(twice).toEqual({ text: "ready\nhandled\nhandled\n", signal: "SIGKILL" });
});
