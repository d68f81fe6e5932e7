import { expect, test } from "bun:test";
import { serviceTomlReference } from "../../../src/rastos/service/config-reference.ts";

test("every key of a service file has its line, and tables have theirs", () => {
  const text = serviceTomlReference();
  for (const key of ["exec", "restart_delay_max", "only_if", "stop_signal", "watchdog"]) {
    expect(text).toContain(`| \`${key}\` |`);
  }
  for (const table of ["ready", "limits", "log"]) expect(text).toContain(`## \`[${table}]\``);
});
