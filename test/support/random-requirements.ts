import fc from "fast-check";
import { anyMarker } from "./random-markers.ts";

const NAMES = [..."a A.B-C_D zope.interface x--y py_3 0 Foo_bar-.baz ruamel.yaml name-".split(" ")];
const VERSIONS = [
  ..."1 1.0 1.0.0 2.* 1.0.* 1.0a1 1.0.alpha-2 1.0RC1 1.0.post1 1.0-1 1.0.rev3 1.0.dev0".split(" "),
  ..."1.0dev 1!2.0 v1.0 1.0+local.1 1.0c2 1.0preview3 1.0.0.0.0.0 00.01".split(" "),
  ..."99999999999999999999 1.0b2.post3.dev4".split(" "),
];
const NO_VERSIONS = [..."1.0a1.* 1.0.dev1.* 2004d * foo 1.0+ 1..0 1.0.".split(" ")];
const URLS = [
  ..."https://h/p-1.0-py3-none-any.whl git+ssh://git@h/p.git@v1#egg=p file:///a%20b x".split(" "),
  ..."https://h/p.zip;python_version ./p http://[::1]/p@2".split(" "),
];

const blank = fc.constantFrom("", "", "", " ", "\t", "  ");

function spaced(...parts: (fc.Arbitrary<string> | string)[]): fc.Arbitrary<string> {
  const all = parts.flatMap((part) => [blank, typeof part === "string" ? fc.constant(part) : part]);
  return fc.tuple(...all, blank).map((texts) => texts.join(""));
}

const clause = spaced(
  fc.constantFrom("==", "!=", "==", "!=", "==", "!=", "<=", ">=", "<", ">", "~=", "==="),
  fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom(...VERSIONS) },
    { weight: 1, arbitrary: fc.constantFrom(...NO_VERSIONS) },
  ),
);
const clauses = fc
  .tuple(fc.array(clause, { minLength: 1, maxLength: 4 }), fc.constantFrom("", "", "", ","))
  .map(([all, end]) => all.join(",") + end);
const extras = fc
  .array(spaced(fc.constantFrom(...NAMES)), { maxLength: 3 })
  .map((all) => `[${all.join(",")}]`);

const place = fc.oneof(
  { weight: 3, arbitrary: clauses },
  { weight: 2, arbitrary: spaced("(", clauses, ")") },
  { weight: 2, arbitrary: fc.constantFrom("", "", "", "()", "( )", "(", ",") },
  { weight: 1, arbitrary: spaced("@", fc.constantFrom(...URLS)) },
);

/** Requirements in every form that PEP 508 knows, and some that it doesn't. */
export const anyRequirement: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(...NAMES),
    fc.option(extras, { nil: "", freq: 2 }),
    place,
    fc.option(spaced(";", anyMarker), { nil: "", freq: 2 }),
    blank,
  )
  .chain(([name, chosen, where, marker, end]) =>
    spaced(name, chosen, where).map((text) => text + marker + end),
  );
