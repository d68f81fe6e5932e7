/** Expressions of Kconfig (Documentation/kbuild/kconfig-language.rst), "Menu dependencies". */

/** An expression, taken apart. */
export type Expression =
  | { readonly kind: "symbol"; readonly name: string }
  | { readonly kind: "text"; readonly text: string }
  /** `$(cc-option,…)`: what only a run of the compiler can tell. */
  | { readonly kind: "macro"; readonly text: string }
  | { readonly kind: "not"; readonly of: Expression }
  | { readonly kind: "and" | "or"; readonly left: Expression; readonly right: Expression }
  | {
      readonly kind: "compare";
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    };

/** n, m and y; undefined where it cannot be told. */
export type Tristate = 0 | 1 | 2 | undefined;

/** The value of a symbol as a configuration has it; undefined where it is not set. */
export type Lookup = (symbol: string) => string | undefined;

/** Expressions in Linux are short; a foreign file must not make us recurse without end. */
const DEPTH_MAX = 100;

/** Takes an expression apart; undefined where it is none. */
export function parseExpression(text: string): Expression | undefined {
  const tokens = tokenize(text);
  if (tokens === undefined) return undefined;
  const parser = new Parser(tokens);
  const expression = parser.or(0);
  return parser.isAtEnd ? expression : undefined;
}

function tokenize(text: string): string[] | undefined {
  const tokens: string[] = [];
  const pattern = /\s*(&&|\|\||!=|<=|>=|[!()=<>]|"(?:[^"\\]|\\.)*"|'[^']*'|[\w./-]+)/y;
  for (let at = 0; at < text.length; ) {
    if (text.slice(at).trim() === "") break;
    const macro = macroAt(text, at);
    if (macro !== undefined) {
      tokens.push(macro.trim());
      at += macro.length;
      continue;
    }
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found?.[1] === undefined) return undefined;
    tokens.push(found[1]);
    at = pattern.lastIndex;
  }
  return tokens;
}

/** `$(…)` with its nested parentheses, and the blanks before it. */
function macroAt(text: string, at: number): string | undefined {
  const start = /^\s*\$\(/.exec(text.slice(at, at + 200));
  if (start === null) return undefined;
  let depth = 1;
  let end = at + start[0].length;
  for (; end < text.length && depth > 0; end += 1) {
    if (text[end] === "(") depth += 1;
    if (text[end] === ")") depth -= 1;
  }
  return text.slice(at, end);
}

class Parser {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  or(depth: number): Expression | undefined {
    return this.#chain("||", "or", () => this.#and(depth));
  }

  #and(depth: number): Expression | undefined {
    return this.#chain("&&", "and", () => this.#not(depth));
  }

  #chain(
    operator: string,
    kind: "and" | "or",
    next: () => Expression | undefined,
  ): Expression | undefined {
    let left = next();
    while (left !== undefined && this.#take(operator)) {
      const right = next();
      left = right === undefined ? undefined : { kind, left, right };
    }
    return left;
  }

  #not(depth: number): Expression | undefined {
    if (depth > DEPTH_MAX) return undefined;
    if (this.#take("!")) {
      const of = this.#not(depth + 1);
      return of === undefined ? undefined : { kind: "not", of };
    }
    if (this.#take("(")) {
      const inner = this.or(depth + 1);
      return this.#take(")") ? inner : undefined;
    }
    return this.#comparison();
  }

  #comparison(): Expression | undefined {
    const left = this.#operand();
    const operator = this.#tokens[this.#at] ?? "";
    if (left === undefined || !/^(=|!=|<|>|<=|>=)$/.test(operator)) return left;
    this.#at += 1;
    const right = this.#operand();
    return right === undefined ? undefined : { kind: "compare", operator, left, right };
  }

  #operand(): Expression | undefined {
    const token = this.#tokens[this.#at];
    if (token === undefined) return undefined;
    const isQuoted = /^["']/.test(token);
    if (isQuoted && token.includes("$(")) return this.#advance({ kind: "macro", text: token });
    if (isQuoted) return this.#advance({ kind: "text", text: token.slice(1, -1) });
    if (token.startsWith("$(")) return this.#advance({ kind: "macro", text: token });
    if (/^[\w./-]+$/.test(token)) return this.#advance({ kind: "symbol", name: token });
    return undefined;
  }

  #advance(expression: Expression): Expression {
    this.#at += 1;
    return expression;
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at += 1;
    return true;
  }
}

/** What an expression comes to under a configuration. */
export function evaluate(expression: Expression, lookup: Lookup): Tristate {
  switch (expression.kind) {
    case "symbol":
      return tristateOf(textOf(expression, lookup));
    case "text":
      return tristateOf(expression.text);
    case "macro":
      return undefined;
    case "not": {
      const value = evaluate(expression.of, lookup);
      return value === undefined ? undefined : ((2 - value) as Tristate);
    }
    case "and":
    case "or":
      return combine(expression.kind, [
        evaluate(expression.left, lookup),
        evaluate(expression.right, lookup),
      ]);
    case "compare":
      return compare(expression, lookup);
  }
}

function combine(kind: "and" | "or", values: readonly Tristate[]): Tristate {
  const known = values.filter((value) => value !== undefined);
  const decisive = kind === "and" ? 0 : 2;
  if (known.includes(decisive)) return decisive;
  if (known.length < values.length) return undefined;
  return (kind === "and" ? Math.min(...known) : Math.max(...known)) as Tristate;
}

function compare(
  { operator, left, right }: Extract<Expression, { kind: "compare" }>,
  lookup: Lookup,
): Tristate {
  const [a, b] = [textOf(left, lookup), textOf(right, lookup)];
  if (a === undefined || b === undefined) return undefined;
  const isNumeric = [a, b].every((value) => Number.isFinite(Number(value)) && value !== "");
  const order = isNumeric ? Number(a) - Number(b) : a < b ? -1 : a > b ? 1 : 0;
  const results: Readonly<Record<string, boolean>> = {
    "=": order === 0,
    "!=": order !== 0,
    "<": order < 0,
    ">": order > 0,
    "<=": order <= 0,
    ">=": order >= 0,
  };
  return results[operator] === true ? 2 : 0;
}

/** As text; undefined for what only the compiler knows. */
function textOf(expression: Expression, lookup: Lookup): string | undefined {
  if (expression.kind === "text") return expression.text;
  if (expression.kind !== "symbol") return undefined;
  const { name } = expression;
  // What is no symbol by its form is a constant: y, m, n, 64.
  if (/^([ymn]|-?\d+|0[xX][0-9a-fA-F]+)$/.test(name)) return name;
  const value = lookup(name);
  return value === undefined ? "n" : value.replace(/^"(.*)"$/, "$1");
}

function tristateOf(value: string | undefined): Tristate {
  return value === "y" ? 2 : value === "m" ? 1 : 0;
}

/**
 * The parts of an expression that are in the way of a value, in words: `needs BLOCK`,
 * `needs MODULES or EXPERT`.
 *
 * @param least 2 where y is asked for, 1 for m
 * @returns nothing where the expression allows the value
 */
export function obstacles(expression: Expression, lookup: Lookup, least: 1 | 2): string[] {
  const value = evaluate(expression, lookup);
  if (value !== undefined && value >= least) return [];
  if (expression.kind === "and") {
    const { left, right } = expression;
    return [...obstacles(left, lookup, least), ...obstacles(right, lookup, least)];
  }
  return [`needs ${describe(expression, lookup)}`];
}

/** The expression, its symbols with their values where those are in the way. */
function describe(expression: Expression, lookup: Lookup): string {
  switch (expression.kind) {
    case "symbol": {
      const value = evaluate(expression, lookup);
      return value === 1 ? `${expression.name}=y (it is m)` : expression.name;
    }
    case "text":
      return `"${expression.text}"`;
    case "macro":
      return `${expression.text} of the compiler`;
    case "not":
      return expression.of.kind === "symbol"
        ? `${expression.of.name} off`
        : `not (${describe(expression.of, lookup)})`;
    case "and":
      return `${describe(expression.left, lookup)} and ${describe(expression.right, lookup)}`;
    case "or":
      return `${describe(expression.left, lookup)} or ${describe(expression.right, lookup)}`;
    case "compare": {
      const { left, operator, right } = expression;
      return `${describeOperand(left)}${operator}${describeOperand(right)}`;
    }
  }
}

function describeOperand(expression: Expression): string {
  if (expression.kind === "symbol") return expression.name;
  return expression.kind === "text" || expression.kind === "macro" ? expression.text : "…";
}
