import { expect, test } from "bun:test";

import { appletFor, documentedTools } from "../../../src/applets.ts";
import { GLOBAL_ARGS } from "../../../src/kit/cli/globals.ts";
import { renderHelp, wrap } from "../../../src/kit/cli/help.ts";
import { allCommands } from "../../../src/kit/cli/model.ts";
import { parseArguments } from "../../../src/kit/cli/parse.ts";
import { PLAIN_STYLE } from "../../../src/kit/out/style.ts";

const tools = await documentedTools();
const commands = tools.flatMap(allCommands);
const how = { style: PLAIN_STYLE, columns: 80 };

test.each(
  tools
    .flatMap(allCommands)
    .filter((model) => model.path === model.page.join(" "))
    .map((model) => [model.path, model] as const),
)("%s -h", (_path, model) => {
  expect(renderHelp(model, { ...how, long: false })).toMatchSnapshot();
});

test("blit mirror --help", () => {
  const mirror = commands.find((model) => model.path === "blit mirror")!;
  expect(renderHelp(mirror, { ...how, long: true })).toMatchSnapshot();
});

test.each([40, 80, 100, 200])(
  "no line is longer than a terminal of %d columns, nor than 100",
  (columns) => {
    for (const model of commands) {
      // Examples are to be copied: they stay in one line.
      const examples = new Set(
        model.examples.flatMap((e) => [`  ${e.command}`, `  # ${e.description}`]),
      );
      const lines = renderHelp(model, { ...how, columns, long: true })
        .split("\n")
        .slice(0, -1);
      const long = lines.filter(
        (line) => line.length > Math.max(columns, 80) && !examples.has(line),
      );
      expect(long).toEqual([]);
      expect(lines.filter((line) => line.length > 100)).toEqual([]);
    }
  },
);

test("every command has an example, every flag a description", () => {
  for (const model of commands) {
    expect([model.path, model.examples.length > 0]).toEqual([model.path, true]);
    const mute = model.flags.filter((flag) => flag.description === "");
    expect([model.path, mute]).toEqual([model.path, []]);
  }
});

test("every example is understood by the parser", async () => {
  const lines = new Set(commands.flatMap((model) => model.examples.map(({ command }) => command)));
  expect(lines.size).toBeGreaterThan(10);
  for (const line of lines) {
    // What a shell does around the command is the shell's own.
    const before =
      /^Invoke-Expression \(& |^source <\(|^eval "\$\(|^\(& |^sudo |^openssl passwd -6 \| /;
    const after = /\)"?$| \| (source|Out-String|Invoke-Expression)\b.*$| > \S+$/;
    const plain = line.replace(before, "").replace(after, "").replace(after, "");
    const words: string[] = plain.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
    let spec = await appletFor(words.shift() ?? "").load();
    for (let next = spec.subCommands?.[words[0] ?? ""]; next !== undefined; ) {
      spec = await next();
      words.shift();
      next = spec.subCommands?.[words[0] ?? ""];
    }
    const args = { ...GLOBAL_ARGS, ...spec.args };
    const passThrough = spec.passThrough === true;
    const { problems } = parseArguments(words, { args, passThrough });
    expect([line, problems, typeof spec.run]).toEqual([line, [], "function"]);
  }
});

test("wrap breaks at spaces and loses no word", () => {
  expect(wrap("aa bb cccccc d", 5)).toEqual(["aa bb", "cccccc", "d"]);
});
