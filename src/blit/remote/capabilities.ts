import { WIRE_VERSION } from "../wire/frame.ts";
import { hasKernelTls } from "../wire/ktls.ts";
import { hasRdma } from "../wire/rdma.ts";
import type { WantedStreams } from "./client-streams.ts";

/** What this side tells about itself at the start of a transfer. */
export function capabilities(
  forceGrpcData: boolean,
  streams: WantedStreams,
  /** Of connections of its own; undefined: none are made. */
  connections?: { readonly isEncrypted: boolean },
) {
  const makesConnections = connections !== undefined;
  return {
    wireVersion: WIRE_VERSION,
    supportsRdma: makesConnections && !forceGrpcData && hasRdma(),
    rdmaQp: 0,
    supportsKernelTls: connections?.isEncrypted === true && !forceGrpcData && hasKernelTls(),
    forceGrpcData,
    streamsMax: streams.count,
    // On one connection they would only wait for each other.
    isFar: streams.isFar && !forceGrpcData,
    supportsZstd: true,
    // Over the control connection one stream may hold up another, and parts wait for each other.
    supportsParts: makesConnections && !forceGrpcData,
  };
}
