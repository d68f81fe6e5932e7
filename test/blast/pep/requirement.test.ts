import { describe, expect, test } from "bun:test";
import { PepError } from "../../../src/blast/pep/error.ts";
import { parseRequirement, requirementToString } from "../../../src/blast/pep/requirement.ts";

function written(text: string): string {
  return requirementToString(parseRequirement(text));
}

function failure(text: string): PepError {
  try {
    parseRequirement(text);
  } catch (error) {
    if (error instanceof PepError) return error;
    throw error;
  }
  throw new Error(`${text} was read`);
}

describe("requirements of PEP 508", () => {
  test.each([
    ["A", "a"],
    ["A.B-C_D", "a-b-c-d"],
    ["name", "name"],
    ["name<=1", "name<=1"],
    ["name>=3,<2", "name<2,>=3"],
    ["name@http://foo.com", "name @ http://foo.com"],
    [
      "name [fred,bar] @ http://foo.com ; python_version=='2.7'",
      'name[bar,fred] @ http://foo.com ; python_version == "2.7"',
    ],
    [
      "name[quux, strange];python_version<'2.7' and platform_version=='2'",
      'name[quux,strange]; python_version < "2.7" and platform_version == "2"',
    ],
    [
      "name; os_name=='a' or (os_name=='b' and os_name=='c')",
      'name; os_name == "a" or (os_name == "b" and os_name == "c")',
    ],
    ["name (>= 1.0, < 2)", "name<2,>=1.0"],
    ["name()", "name"],
    ["name[]", "name"],
    ["name>=1,", "name>=1"],
    ["  name \t>= \n1 ", "name>=1"],
    ["name @ file:///a;b", "name @ file:///a;b"],
  ])("%p", (text, expected) => {
    expect(written(text)).toBe(expected);
    expect(written(expected)).toBe(expected);
  });

  test("the specifier is read when it is asked for, and equal texts once", () => {
    const one = parseRequirement("one>=1.0");
    const two = parseRequirement("two>=1.0");
    expect(one.specifier).toBe(two.specifier);
    expect(one.specifier.toString()).toBe(">=1.0");
  });

  test("equal marker texts are one marker", () => {
    const one = parseRequirement("one; os_name == 'nt'");
    expect(parseRequirement("two>1; os_name == 'nt'").marker).toBe(one.marker);
  });
});

describe("what is no requirement is refused with the place", () => {
  test.each([
    ["", 0, "expected a package name but it ends"],
    ["name>=1 <2", 8, 'expected ",", ";" or the end at "<2"'],
    ["name 1.0", 5, 'expected a version such as >=1.0, "@", "[", ";" or the end at "1.0"'],
    ["name_", 4, 'expected a version such as >=1.0, "@", "[", ";" or the end at "_"'],
    ["name @ ", 7, 'expected a URL after "@" but it ends'],
    ["name @ x: y", 10, 'expected ";" after the URL and a space at "y"'],
    ["name[a b]", 7, 'expected "," or "]" at "b]"'],
    ["name[a,]", 7, 'expected the name of an extra at "]"'],
    ["name(>=1", 8, 'expected ",", ")" or a version such as >=1.0 but it ends'],
    ["name>=1.*", 7, 'expected no ".*": it goes with == and != and a plain release only at ".*"'],
    ["name>=1+x", 7, 'expected no local version: it goes with == and != only at "+x"'],
    ["name;", 5, "expected a name such as python_version or sys_platform, or a text in quotes"],
    ["name; foo == 'x'", 6, "expected a name such as python_version"],
    ["name; os_name 'x'", 14, "expected ==, !=, <, <=, >, >=, ~=, ===, in or not in"],
    ["name; (os_name == 'x'", 21, 'expected "and", "or" or ")" for the "(" at column 7'],
    ["name; os_name == 'x' os_name", 21, 'expected "and", "or" or the end at "os_name"'],
    ["name; os_name == '\\x4'", 17, "expected a string that Python can read"],
  ])("%p at %p", (text, position, message) => {
    const error = failure(text);
    expect(error.position).toBe(position);
    expect(error.message).toContain(message);
  });

  test("parentheses without end", () => {
    const error = failure(`name; ${"(".repeat(100_000)}`);
    expect(error.message).toContain("open parentheses");
  });
});
