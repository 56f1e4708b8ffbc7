// What the schema's defaults can't say: values that follow from others. Pure.
import type {ClusterDocument} from './schema.ts';

export const driftAreas = ['files', 'sysctls', 'modules', 'runtime', 'kubelet', 'node'] as const;

/** The document with every default written out. */
export function applyDefaults(cluster: ClusterDocument): ClusterDocument {
  const {agent} = cluster.spec;
  if (agent === undefined) return cluster;
  const drift = agent.drift ?? 'repair';
  return {
    ...cluster,
    spec: {
      ...cluster.spec,
      agent: {
        ...agent,
        drift: Object.fromEntries(driftAreas.map((area) => [area, typeof drift === 'string' ? drift : (drift[area] ?? 'repair')])),
      },
    },
  };
}
