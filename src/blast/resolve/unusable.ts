/**
 * Thrown by an index's `metadata` when what a file says of itself can't be used: the resolver goes
 * on with other versions. Everything else that is thrown ends the resolution.
 */
export class MetadataUnusable extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = "MetadataUnusable";
  }
}
