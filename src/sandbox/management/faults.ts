// Faults on demand, for demos and tests: of the API itself, and of the infrastructure that the simulated controllers make machines of.

export interface ApiFault {
  /** 429, 500, 503 ... */
  readonly status: number;
  /** How many requests fail; default: all until the fault is cleared. */
  readonly times?: number;
  /** Of 429 and 503: sent as Retry-After, in s. */
  readonly retryAfter?: number;
  /** Only these; default: all but /version. */
  readonly matches?: (request: {readonly method: string; readonly path: string}) => boolean;
}

interface ActiveFault extends ApiFault {
  left: number;
}

export class Faults {
  /** Before each answer, in ms. */
  latency = 0;
  /** The part of a cluster's topology (pool's name, or `control-plane`) whose machines' infrastructure never gets ready, as `CLUSTER/POOL`. */
  readonly stuckInfrastructure = new Set<string>();
  /** `CLUSTER/POOL`: the infrastructure's machine can't be made at all, so no Machine gets there. */
  readonly uncreatable = new Set<string>();
  /** Names of machines whose nodes don't answer any more; a machine that takes notice of it looks again each second. */
  readonly lostNodes = new Set<string>();
  #active: ActiveFault[] = [];

  /** The next requests fail. */
  inject(fault: ApiFault): void {
    this.#active.push({...fault, left: fault.times ?? Number.POSITIVE_INFINITY});
  }

  /** Everything works again. */
  clear(): void {
    this.#active = [];
    this.latency = 0;
    this.stuckInfrastructure.clear();
    this.uncreatable.clear();
    this.lostNodes.clear();
  }

  /** The fault that hits this request, if any; it counts as used. */
  take(request: {readonly method: string; readonly path: string}): ApiFault | undefined {
    const fault = this.#active.find((one) => one.left > 0 && (one.matches?.(request) ?? request.path !== '/version'));
    if (fault === undefined) return undefined;
    fault.left -= 1;
    if (fault.left <= 0) this.#active = this.#active.filter((one) => one !== fault);
    return fault;
  }
}
