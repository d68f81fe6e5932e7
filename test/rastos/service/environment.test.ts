import { expect, test } from "bun:test";
import { parseEnvironment, serviceEnvironment } from "../../../src/rastos/service/environment.ts";
import { SERVICE_PATH } from "../../../src/rastos/service/launch.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("lines of NAME=value, with quotes, comments and export", () => {
  const text = `
# comment
; too
A=plain text
export B="quoted \\"and\\" $more"
C='single'
D=
bad line
1E=no
`;
  expect(parseEnvironment(text)).toEqual({
    A: "plain text",
    B: 'quoted "and" $more',
    C: "single",
    D: "",
  });
});

test("each place goes before the one below it, and nothing of ours leaks", () => {
  using work = createWorkspace();
  work.write("env", "A=file\nB=file\n");
  const account = { uid: 1, gid: 1, groups: [1], name: "me", home: "/h", shell: "/s" };
  const source = {
    name: "x",
    environment: { B: "table", HOME: "/other" },
    environment_files: [work.at("env"), `-${work.at("none")}`],
  };
  expect(serviceEnvironment(source, account, { C: "more" })).toEqual({
    kind: "read",
    variables: {
      PATH: SERVICE_PATH,
      USER: "me",
      LOGNAME: "me",
      HOME: "/other",
      SHELL: "/s",
      A: "file",
      B: "table",
      C: "more",
      RINIT_SERVICE: "x",
    },
  });
  const missing = { ...source, environment_files: [work.at("none")] };
  expect(serviceEnvironment(missing, undefined)).toEqual({
    kind: "missing",
    reason: `cannot read "${work.at("none")}": no such file or directory`,
  });
});
