// Values that should be unique among hosts and aren't.

export interface Duplicate<H> {
  readonly host: H;
  readonly value: string;
  /** Names of the other hosts that have it. */
  readonly others: readonly string[];
}

/** One entry for each host and value that another host has too. */
export function duplicates<H extends {readonly name: string}>(hosts: readonly H[], valuesOf: (host: H) => readonly string[]): readonly Duplicate<H>[] {
  const holders = new Map<string, H[]>();
  for (const host of hosts) for (const value of new Set(valuesOf(host))) holders.set(value, [...(holders.get(value) ?? []), host]);
  return [...holders].flatMap(([value, sharing]) =>
    sharing.length < 2 ? [] : sharing.map((host) => ({host, value, others: sharing.filter((other) => other !== host).map(({name}) => name)})),
  );
}
