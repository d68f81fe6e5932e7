import { copyFileSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Interpreter } from "./probe.ts";

/**
 * Windows has no links that everybody may make: Python brings small launchers that read pyvenv.cfg
 * and start the base.
 */
export function copyWindowsLaunchers(scripts: string, interpreter: Interpreter): void {
  const launchers = join(interpreter.paths.stdlib, "venv", "scripts", "nt");
  const suffix = interpreter.isFreeThreaded ? "t" : "";
  for (const [name, launcher] of [
    ["python.exe", `venvlauncher${suffix}.exe`],
    ["pythonw.exe", `venvwlauncher${suffix}.exe`],
  ] as const) {
    const usual = join(launchers, launcher);
    const older = join(launchers, name);
    const source = existsSync(usual) ? usual : existsSync(older) ? older : undefined;
    copyFileSync(source ?? join(dirname(interpreter.path), name), join(scripts, name));
  }
}
