// All rules beyond the schema for one cluster.
import {lintController} from './lint/controller.ts';
import {lintHosts} from './lint/hosts.ts';
import {lintMode, type ModeRules} from './lint/mode.ts';
import {lintNetworks} from './lint/networks.ts';
import {lintNodes} from './lint/nodes.ts';
import type {Report} from './lint/report.ts';
import type {ClusterDocument} from './schema.ts';

/** Reports whatever is wrong with a cluster that fits the schema. */
export function lintCluster(cluster: ClusterDocument, report: Report, rules: ModeRules): void {
  lintMode(cluster, report, rules);
  if (cluster.spec.mode === 'controller') lintController(cluster, report);
  else lintHosts(cluster, report);
  lintNetworks(cluster, report);
  lintNodes(cluster, report);
}
