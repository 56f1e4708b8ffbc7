// What to do with things that belong to a living cluster of ours, only not this one.

/** Commands that remove by hand would destroy the other cluster: then its own way out comes instead. */
export function unlessForeign(foreign: string | undefined, remedy: string): string {
  return foreign === undefined ? remedy : `it belongs to cluster ${foreign}: take the host out of that first, with its file: trireme host reset`;
}
