import basic from "../assets/rinit/basic.toml" with { type: "text" };
import defaults from "../assets/rinit/default.toml" with { type: "text" };
import devices from "../assets/rinit/devices.toml" with { type: "text" };
import firstBoot from "../assets/rinit/first-boot.toml" with { type: "text" };
import getty from "../assets/rinit/getty@.toml" with { type: "text" };
import modules from "../assets/rinit/modules.toml" with { type: "text" };
import mounts from "../assets/rinit/mounts.toml" with { type: "text" };
import network from "../assets/rinit/network.toml" with { type: "text" };
import bless from "../assets/rinit/rastos-bless.toml" with { type: "text" };
import rescue from "../assets/rinit/rescue.toml" with { type: "text" };
import rescueShell from "../assets/rinit/rescue-shell.toml" with { type: "text" };
import settings from "../assets/rinit/settings.toml" with { type: "text" };
import udev from "../assets/rinit/udev.toml" with { type: "text" };

/** A file to be put into a root. */
export interface DefaultFile {
  /** From the root, without a slash in front. */
  readonly path: string;
  readonly content: string;
}

const FILES: Readonly<Record<string, string>> = {
  basic,
  default: defaults,
  devices,
  "first-boot": firstBoot,
  "getty@": getty,
  modules,
  mounts,
  network,
  "rastos-bless": bless,
  rescue,
  "rescue-shell": rescueShell,
  settings,
  udev,
};

/**
 * The services that every system run by rinit begins with: file systems, devices, network, a login
 * on the console, and the blessing of a good boot. Nothing has to be enabled: `default` wants them.
 */
export function defaultServices(): readonly DefaultFile[] {
  return Object.entries(FILES).map(([name, content]) => ({
    path: `usr/lib/rinit/${name}.toml`,
    content,
  }));
}
