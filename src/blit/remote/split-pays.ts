import { isLoopback } from "../control/peer-address.ts";

/**
 * Whether one file over several streams may be faster. Not where both ends share two processors:
 * one stream keeps both of them busy there, and more streams take a tenth longer or more.
 */
export function splitPays(
  peerAddress: string,
  processors = navigator.hardwareConcurrency,
): boolean {
  return processors > 2 || !isLoopback(peerAddress);
}
