import { expect, test } from "bun:test";
import { buildVariables } from "../../../src/blast/build/build-variables.ts";

test("nothing of the active environment, of Bun or of us reaches a build", () => {
  const user = {
    PATH: "/home/me/venv/bin:/usr/bin:/bin",
    VIRTUAL_ENV: "/home/me/venv",
    VIRTUAL_ENV_PROMPT: "venv",
    _OLD_VIRTUAL_PATH: "/usr/bin",
    PYTHONPATH: "/elsewhere",
    PYTHONHOME: "/nowhere",
    PYTHONUTF8: "1",
    BUN_OPTIONS: "--preload=x",
    BLAST_INDEX_MINE_PASSWORD: "secret",
    GIT_DIR: "/repository/.git",
    GIT_INDEX_FILE: "index",
    GIT_SSH_COMMAND: "ssh -i key",
    CFLAGS: "-O2",
    GONE: undefined,
  };
  const python = { executable: "/e/bin/python", scripts: "/e/bin", environment: "/e" };
  expect(buildVariables(user, python)).toEqual({
    PATH: "/e/bin:/usr/bin:/bin",
    VIRTUAL_ENV: "/e",
    PYTHONUTF8: "1",
    PYTHONUNBUFFERED: "1",
    PYTHONNOUSERSITE: "1",
    GIT_SSH_COMMAND: "ssh -i key",
    CFLAGS: "-O2",
  });
});

test("without an environment there is none", () => {
  const python = { executable: "/usr/bin/python3", scripts: "/usr/bin", environment: undefined };
  const variables = buildVariables({ VIRTUAL_ENV: "/v", PATH: "/v/bin:/bin" }, python);
  expect(variables["PATH"]).toBe("/usr/bin:/bin");
  expect(Object.hasOwn(variables, "VIRTUAL_ENV")).toBe(false);
});
