/** Which proxy a request goes through. No I/O. */

type Environment = Readonly<Record<string, string | undefined>>;

/** Where proxies are told. */
export interface ProxySettings {
  /** For every request, whatever the environment says: `http://user:pass@host:3128`. */
  readonly proxy?: string | undefined;
  readonly environment: Environment;
}

/**
 * The proxy for a URL, or undefined to go there directly. As curl and pip do it: `http_proxy`,
 * `https_proxy`, `all_proxy` and `no_proxy`, small letters before capitals.
 */
export function proxyFor(url: URL, settings: ProxySettings): string | undefined {
  if (settings.proxy !== undefined && settings.proxy !== "") return withScheme(settings.proxy);
  const { environment } = settings;
  const scheme = url.protocol === "https:" ? "https_proxy" : "http_proxy";
  const proxy = read(environment, scheme) || read(environment, "all_proxy");
  if (proxy === "" || isExempt(url, read(environment, "no_proxy"))) return undefined;
  return withScheme(proxy);
}

function read(environment: Environment, name: string): string {
  return (environment[name] ?? environment[name.toUpperCase()] ?? "").trim();
}

function withScheme(proxy: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}

function isExempt(url: URL, list: string): boolean {
  const host = bare(url.hostname.toLowerCase());
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  for (const item of list.toLowerCase().split(/[\s,]+/)) {
    if (item === "") continue;
    if (item === "*") return true;
    if (item.includes("/")) {
      if (isInNetwork(host, item)) return true;
      continue;
    }
    // `host:port`, but not an IPv6 address with its colons.
    const ported = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(item);
    if (ported !== null && ported[2] !== port) continue;
    const name = bare(ported?.[1] ?? item).replace(/^\*?\.+/, "");
    if (host === name || host.endsWith(`.${name}`)) return true;
  }
  return false;
}

function bare(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}

/** `10.0.0.0/8`; IPv4 only, which is what people write. */
function isInNetwork(host: string, network: string): boolean {
  const [address = "", bitsText = ""] = network.split("/", 2);
  const bits = Number(bitsText);
  const [wanted, given] = [ipv4(address), ipv4(host)];
  if (wanted === undefined || given === undefined || !(bits >= 0 && bits <= 32)) return false;
  const shift = 2 ** (32 - bits);
  return Math.floor(wanted / shift) === Math.floor(given / shift);
}

function ipv4(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const parts = match.slice(1).map(Number);
  return parts.some((part) => part > 255)
    ? undefined
    : parts.reduce((sum, part) => sum * 256 + part, 0);
}
