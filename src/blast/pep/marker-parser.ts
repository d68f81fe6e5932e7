import type { PepError } from "./error.ts";
import type { Comparison, Marker, MarkerOperator, MarkerTerm, Operand } from "./marker.ts";
import { type MarkerName, markerName } from "./marker-environment.ts";
import { pythonString } from "./python-string.ts";
import { syntaxFailure } from "./syntax-failure.ts";

/** Deeper parentheses are no marker but an attack on the stack. */
const DEPTH_MAX = 200;

const BLANK = /[ \t]*/y;
const WORD = /[A-Za-z_][A-Za-z0-9_.]*/y;
const QUOTED = /'([^']*)'|"([^"]*)"/y;
const COMPARE = /===|==|~=|!=|<=|>=|<|>/y;
const NOT_IN = /not[ \t]+in(?![A-Za-z0-9_])/y;
const IN = /in(?![A-Za-z0-9_])/y;
const BOOLEAN = /(?:and|or)(?![A-Za-z0-9_])/y;

/**
 * Reads markers by PEP 508's grammar, with the widenings of the `packaging` library: `and` and
 * `or` need no space beside a quote or parenthesis, both sides may be a name or a quoted text.
 *
 * @param source the whole text, for messages and positions
 * @param start where the marker begins in it
 * @throws PepError with the position in `source`
 */
export function parseMarkerText(source: string, start: number): Marker {
  const parser = new MarkerParser(source, start);
  const marker = parser.marker(0);
  parser.end();
  return marker;
}

class MarkerParser {
  readonly #source: string;
  #position: number;

  constructor(source: string, position: number) {
    this.#source = source;
    this.#position = position;
  }

  marker(depth: number): Marker {
    if (depth > DEPTH_MAX) throw this.#failure(`fewer than ${DEPTH_MAX} open parentheses`);
    const alternatives: MarkerTerm[][] = [];
    let group: MarkerTerm[] = [];
    for (;;) {
      group.push(this.#term(depth));
      const connective = this.#take(BOOLEAN);
      if (connective === "and") continue;
      alternatives.push(group);
      if (connective === undefined) return { kind: "marker", alternatives };
      group = [];
    }
  }

  end(): void {
    if (this.#position < this.#source.length) throw this.#failure('"and", "or" or the end');
  }

  #term(depth: number): MarkerTerm {
    this.#take(BLANK);
    if (this.#source[this.#position] !== "(") return this.#comparison();
    const open = this.#position;
    this.#position += 1;
    const inner = this.marker(depth + 1);
    if (this.#source[this.#position] !== ")") {
      throw this.#failure(`"and", "or" or ")" for the "(" at column ${open + 1}`);
    }
    this.#position += 1;
    this.#take(BLANK);
    return inner;
  }

  #comparison(): Comparison {
    const left = this.#operand();
    const operator = this.#operator();
    const right = this.#operand();
    return comparison(left, operator, right);
  }

  #operand(): Operand {
    const start = this.#position;
    QUOTED.lastIndex = start;
    const quoted = QUOTED.exec(this.#source);
    if (quoted !== null) {
      const text = pythonString(quoted[1] ?? quoted[2] ?? "");
      if (text === undefined) throw this.#failure("a string that Python can read");
      this.#position = QUOTED.lastIndex;
      this.#take(BLANK);
      return { kind: "value", text };
    }
    const name = markerName(this.#take(WORD) ?? "");
    if (name === undefined) {
      this.#position = start;
      throw this.#failure("a name such as python_version or sys_platform, or a text in quotes");
    }
    this.#take(BLANK);
    return { kind: "name", name };
  }

  #operator(): MarkerOperator {
    const operator = this.#take(COMPARE) ?? this.#take(IN) ?? this.#take(NOT_IN);
    if (operator === undefined) {
      throw this.#failure("==, !=, <, <=, >, >=, ~=, ===, in or not in");
    }
    this.#take(BLANK);
    return (operator.startsWith("not") ? "not in" : operator) as MarkerOperator;
  }

  #take(token: RegExp): string | undefined {
    token.lastIndex = this.#position;
    const found = token.exec(this.#source)?.[0];
    if (found !== undefined) this.#position += found.length;
    return found;
  }

  #failure(expected: string): PepError {
    return syntaxFailure("marker in", this.#source, this.#position, expected);
  }
}

/** PEP 685: names of extras and groups are compared in their normal form. */
function normalName(text: string): string {
  return text.toLowerCase().replace(/[-_.]+/g, "-");
}

function comparison(left: Operand, operator: MarkerOperator, right: Operand): Comparison {
  if (left.kind === "name") {
    const literal = right.kind === "name" ? right.name : right.text;
    if (left.name !== "extra" || right.kind === "name") {
      return {
        kind: "comparison",
        left,
        operator,
        right,
        name: left.name,
        literal,
        reversed: false,
      };
    }
    const text = normalName(literal);
    const value: Operand = { kind: "value", text };
    return {
      kind: "comparison",
      left,
      operator,
      right: value,
      name: "extra",
      literal: text,
      reversed: false,
    };
  }
  // Two texts: the right one is taken for a name, as `packaging` does.
  const name = right.kind === "name" ? right.name : exactName(right.text);
  const setLike = name === "extra" || name === "extras" || name === "dependency_groups";
  const text = setLike && right.kind === "name" ? normalName(left.text) : left.text;
  return {
    kind: "comparison",
    left: { kind: "value", text },
    operator,
    right,
    name,
    literal: text,
    reversed: true,
  };
}

function exactName(text: string): MarkerName | undefined {
  const name = markerName(text);
  return name === text ? name : undefined;
}
