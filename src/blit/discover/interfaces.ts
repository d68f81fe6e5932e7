import { networkInterfaces } from "node:os";

/** An IPv4 address of this machine, and its network. */
export type OwnAddress = { readonly address: string; readonly netmask: string };

/**
 * The addresses to speak multicast from, one for each interface: those of real networks, else the
 * loopback one.
 */
export function ownAddresses(): OwnAddress[] {
  const outer: OwnAddress[] = [];
  const inner: OwnAddress[] = [];
  for (const addresses of Object.values(networkInterfaces())) {
    // A membership is per interface: a second address of the same one adds nothing.
    const first = addresses?.find((one) => one.family === "IPv4");
    if (first === undefined) continue;
    const { address, netmask } = first;
    (first.internal ? inner : outer).push({ address, netmask });
  }
  return outer.length > 0 ? outer : inner.slice(0, 1);
}

/** Whether an IPv4 address lies in the network of an own one. */
export function isInNetwork(address: string, own: OwnAddress): boolean {
  const mask = wordOf(own.netmask);
  const [theirs, ours] = [wordOf(address), wordOf(own.address)];
  if (mask === undefined || theirs === undefined || ours === undefined) return false;
  return (theirs & mask) === (ours & mask);
}

function wordOf(address: string): number | undefined {
  const parts = address.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) return undefined;
  return parts.reduce((word, part) => (word << 8) | part, 0);
}
