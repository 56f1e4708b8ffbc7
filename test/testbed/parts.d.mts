export const defaultKubernetes: string;
/** The folder of a part's programs; throws with the command to run when it isn't built. */
export function programs(part: string, version: string): string;
/** Where the sources of a module lie that `go/<folder>/go.mod` requires. */
export function moduleFolder(folder: string, module: string): string;
