import { Fault } from "../../kit/fault/fault.ts";

/** `config_settings` of PEP 517's hooks: a list where a key was given more than once. */
export type ConfigSettings = Readonly<Record<string, string | readonly string[]>>;

/**
 * Reads `--config-setting KEY=VALUE`; a key without value gets an empty one.
 *
 * @throws {Fault} E_USAGE for one without a key
 */
export function readConfigSettings(texts: readonly string[]): ConfigSettings {
  const settings = new Map<string, string | string[]>();
  for (const text of texts) {
    const equals = text.indexOf("=");
    const key = equals === -1 ? text : text.slice(0, equals);
    if (key === "") {
      throw new Fault({
        code: "E_USAGE",
        message: `Cannot use the config setting "${text}": it has no key`,
        hint: "as in: --config-setting KEY=VALUE",
      });
    }
    const value = equals === -1 ? "" : text.slice(equals + 1);
    const known = settings.get(key);
    settings.set(key, known === undefined ? value : [known, value].flat());
  }
  return Object.fromEntries(settings);
}
