import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  listedPackages,
  type ProblemContext,
  problemOf,
  promptAt,
} from "../../../../src/rastos/package/pacman/output.ts";

const CONTEXT: ProblemContext = {
  root: "/mnt/root",
  lockPath: "/mnt/root/var/lib/pacman/db.lck",
  lockHolder: () => undefined,
  isRemoval: false,
  signers: () => [],
  corruptedFiles: [],
};

test("the list of packages, the last one there is", () => {
  const text = `resolving dependencies...
Packages (1) x-1-1

Total Installed Size:  0.00 MiB

Packages (3) old-lib-1:2.0-1 [removal]  new.lib-2rc1+git-3.1  a-b-c-1-1

Total Download Size:   0.00 MiB
`;
  expect(listedPackages(text)).toEqual([
    { name: "old-lib", version: "1:2.0-1", isRemoval: true },
    { name: "new.lib", version: "2rc1+git-3.1", isRemoval: false },
    { name: "a-b-c", version: "1-1", isRemoval: false },
  ]);
  expect(listedPackages("there is nothing to do")).toEqual([]);
});

test("questions, of 6.0 and of 6.1", () => {
  const question = (text: string) => {
    const prompt = promptAt(text);
    return prompt?.kind === "question" ? prompt.question : prompt?.kind;
  };
  expect(question(":: Proceed with installation? [Y/n] ")).toBe("proceed");
  expect(question("x\n\n:: Do you want to remove these packages? [Y/n] ")).toBe("proceed");
  expect(question("Enter a selection (default=all): ")).toBe("selection");
  expect(question(":: Something new? [y/N] ")).toBe("unknown");
  expect(question(":: Replace a with extra/b? [Y/n] ")).toEqual({
    kind: "replace",
    oldName: "a",
    newName: "b",
  });
  const conflict = { kind: "remove-conflicting", name: "b-c", conflicting: "a" } as const;
  for (const text of [
    ":: b-c and a are in conflict. Remove a? [y/N] ",
    ":: b-c and a are in conflict (virtual). Remove a? [y/N] ",
    ":: b-c-1:2.0-1 and a-1-1 are in conflict. Remove a? [y/N] ",
  ]) {
    expect(question(text)).toEqual(conflict);
  }
  expect(question(':: Import PGP key ABCD, "A <a@b>"? [Y/n] ')).toEqual({
    kind: "import-key",
    key: "ABCD",
  });
  const corrupted =
    ":: File /cache/a-1-1-any.pkg.tar.zst is corrupted (invalid or corrupted package).\n" +
    "Do you want to delete it? [Y/n] ";
  expect(question(corrupted)).toMatchObject({
    kind: "delete-corrupted",
    file: "/cache/a-1-1-any.pkg.tar.zst",
  });
  const provider =
    ":: There are 2 providers available for virt>=1:\n:: Repository test\n   1) pa  2) pb\n\n" +
    "Enter a number (default=1): ";
  expect(question(provider)).toMatchObject({ kind: "select-provider", dependency: "virt>=1" });
  expect(promptAt("resolving dependencies...\n")).toBeUndefined();
});

test("problems", () => {
  const problem = (text: string) => problemOf(text, CONTEXT);
  expect(problem("error: target not found: a\nerror: target not found: b")).toEqual({
    kind: "not-found",
    names: ["a", "b"],
  });
  expect(problem("error: failed to init transaction (unable to lock database)").kind).toBe(
    "locked",
  );
  expect(
    problem(
      ":: installing b (2-1) breaks dependency 'b=1' required by c\nerror: failed to prepare",
    ),
  ).toEqual({
    kind: "unsatisfied",
    missing: [{ dependency: "b=1", requiredBy: "c", causedBy: "b" }],
  });
  expect(
    problem(
      "error: failed to prepare transaction (conflicting dependencies)\n" +
        ":: a-1-1 and b-2-1 are in conflict (b<3)",
    ),
  ).toEqual({ kind: "conflicting", pairs: [{ first: "a", second: "b", reason: "b<3" }] });
  expect(
    problem(
      "error: failed to commit transaction (conflicting files)\n" +
        "a: /mnt/root/usr/x exists in filesystem (owned by b)\n" +
        "/mnt/root/usr/y exists in both 'a' and 'c'",
    ),
  ).toEqual({
    kind: "files",
    conflicts: [
      { file: "/usr/x", package: "a", owner: "b", isTarget: false },
      { file: "/usr/y", package: "a", owner: "c", isTarget: true },
    ],
  });
  expect(problem("error: failed retrieving file 'x.db' from h : no route").kind).toBe("fetch");
  expect(problem("error: failed retrieving file 'x.db.sig' from h : 404").kind).toBe("untrusted");
  expect(problem("")).toEqual({
    kind: "other",
    reason: "pacman failed without a word",
    lines: [],
  });
});

test("no text is too strange", () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(":: ", "error: ", "Packages (1) ", " [Y/n] ", "'", "exists in filesystem"),
  );
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom("\n", " ", ""), (lines, glue) => {
      const text = lines.join(glue);
      listedPackages(text);
      promptAt(text);
      expect(problemOf(text, CONTEXT).kind).toBeString();
    }),
  );
});
