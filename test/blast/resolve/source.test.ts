import { expect, test } from "bun:test";
import { sourceKey, sourceOfUrl, sourceText } from "../../../src/blast/resolve/source.ts";

test("sources of URLs", () => {
  const archive = { kind: "archive", url: "https://h.test/a.zip" } as const;
  expect(sourceOfUrl("https://h.test/a.zip")).toEqual(archive);
  expect(sourceOfUrl("https://h.test/a.zip#subdirectory=x&sha256=0")).toEqual({
    ...archive,
    subdirectory: "x",
    hashes: { sha256: "0" },
  });
  expect(sourceOfUrl("git+https://me@h.test/a.git")).toEqual({
    kind: "git",
    url: "https://me@h.test/a.git",
  });
  expect(sourceOfUrl("git+ssh://git@h.test/a.git@v1#egg=a")).toEqual({
    kind: "git",
    url: "ssh://git@h.test/a.git",
    revision: "v1",
  });
  expect(sourceOfUrl("hg+https://h.test/a")).toBeUndefined();
  expect(sourceOfUrl("./a")).toBeUndefined();
});

test("sources are equal by what they are, and have texts", () => {
  const one = { kind: "git", url: "https://h.test/a", revision: "v1" } as const;
  expect(sourceKey(one)).not.toBe(sourceKey({ ...one, revision: "v2" }));
  expect(sourceText(one)).toBe("https://h.test/a@v1");
  expect(sourceText({ kind: "archive", url: "https://me:secret@h.test/a.zip" })).not.toContain(
    "secret",
  );
  const folder = { kind: "directory", path: "/a", editable: true } as const;
  expect(sourceKey(folder)).toBe(sourceKey({ ...folder, editable: false }));
  expect(sourceText({ kind: "archive", url: "https://h.test/a.zip" })).toBe("https://h.test/a.zip");
});
