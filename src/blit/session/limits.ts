/** Folders above each other of which one side tells the other. */
export const LINEAGE_MAX = 1024;
