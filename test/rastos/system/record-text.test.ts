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

test("nor is one in a comment, or in a command", async () => {
  const record = await recorded(`[[users]]
name = "a"
# password_hash = "$6$salt$eeeeeeeeeeee"
password_hash = "$6$salt$ffffffffffff" # was $2b$12$gggggggggggg.gg/gg
[hooks]
post_install = ["usermod -p '$y$j9T$salt$hhhhhhhhhhhh' a"]
`);
  for (const secret of ["eeee", "ffff", "gggg", "hhhh"]) expect(record).not.toContain(secret);
  expect(record).toContain("usermod -p '(kept in /etc/rastos/system.toml)' a");
});

test("a file without hashes is as it is", async () => {
  const text = '[packages]\nofficial = ["vim"]\n';
  expect(await recorded(text)).toBe(text);
});
