import fc from "fast-check";

const LETTERS = [..." \t'\"()[],;@=<>!~+-_.*\\0139abnorit\n\u00e9"];

/** The texts with a few letters added, replaced or taken away. */
export function mutated(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const change = fc.tuple(
    fc.nat(),
    fc.constantFrom("add", "put", "cut"),
    fc.constantFrom(...LETTERS),
  );
  return fc
    .tuple(texts, fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([text, changes]) => {
      let result = text;
      for (const [where, how, letter] of changes) {
        const at = where % (result.length + 1);
        const after = result.slice(how === "add" ? at : at + 1);
        result = result.slice(0, at) + (how === "cut" ? "" : letter) + after;
      }
      return result;
    });
}
