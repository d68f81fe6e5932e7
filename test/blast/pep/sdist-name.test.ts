import { describe, expect, test } from "bun:test";
import { PepError } from "../../../src/blast/pep/error.ts";
import { parsePackageName } from "../../../src/blast/pep/name.ts";
import { parseSdistName } from "../../../src/blast/pep/sdist-name.ts";

const text = (filename: string, expected?: string) => {
  const name = expected === undefined ? undefined : parsePackageName(expected);
  const sdist = parseSdistName(filename, name);
  return `${sdist.name} ${sdist.version} ${sdist.extension}`;
};

describe("names as PEP 625 wants them", () => {
  test("with and without knowing the project", () => {
    expect(text("flask_login-0.6.3.tar.gz")).toBe("flask-login 0.6.3 .tar.gz");
    expect(text("flask_login-0.6.3.tar.gz", "Flask-Login")).toBe("flask-login 0.6.3 .tar.gz");
    expect(text("torch-1.0+cpu.zip", "torch")).toBe("torch 1.0+cpu .zip");
  });
});

describe("names from before", () => {
  test("only who knows the project can tell", () => {
    expect(text("foo-1-1.tar.gz")).toBe("foo-1 1 .tar.gz");
    expect(text("foo-1-1.tar.gz", "foo-1")).toBe("foo-1 1 .tar.gz");
    expect(text("foo-1-1.tar.gz", "foo")).toBe("foo 1.post1 .tar.gz");
    expect(text("zope.interface-5.0-beta-1.zip", "zope-interface")).toBe(
      "zope-interface 5.0b1 .zip",
    );
    expect(text("Python--dateutil-2.0.tar.gz", "python_dateutil")).toBe(
      "python-dateutil 2.0 .tar.gz",
    );
  });
});

test("what is none is refused", () => {
  for (const filename of ["foo.tar.gz", "foo-1.0.tgz", "foo-x.zip", "-1.0.zip", "f o-1.0.zip"]) {
    expect(() => parseSdistName(filename)).toThrow(PepError);
  }
  expect(() => text("bar-1.0.tar.gz", "foo")).toThrow('it is no version of "foo"');
  expect(() => text("foo-bar-1.0.tar.gz", "foo")).toThrow('it is no version of "foo"');
});
