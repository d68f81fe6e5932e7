import { expect, test } from "bun:test";
import { parseSystemText } from "../../../src/rastos/system/read.ts";
import { recordText } from "../../../src/rastos/system/record-text.ts";

async function recorded(text: string): Promise<string> {
  return recordText(await parseSystemText("system.toml", text));
}

test("no hash of a password is in it, however it is written", async () => {
  const text = `[system]
hostname = "x" # stays
[[users]]
name = "a"
password_hash = "$6$salt$aaaaaaaaaaaa"
[[users]]
password_hash = '$y$j9T$bbbbbbbbbbbb' # comment
name = "b"
[[users]]
name = "c"
"password_hash" = """$5$salt$cccccccccccc"""
`;
  const record = await recorded(text);
  for (const secret of ["aaaa", "bbbb", "cccc", "$6$", "$y$"]) expect(record).not.toContain(secret);
  expect(record).toContain('hostname = "x" # stays');
  expect(record).toContain('"(kept in /etc/rastos/system.toml)" # comment');
  expect(recorded(record)).rejects.toMatchObject({ code: "E_CONFIG" });
  const inline = 'users = [{ name = "a", password_hash = "$6$salt$dddddddddd" }]\n';
  expect(await recorded(inline)).not.toContain("dddd");
});

test("a file without hashes is as it is", async () => {
  const text = '[packages]\nofficial = ["vim"]\n';
  expect(await recorded(text)).toBe(text);
});
