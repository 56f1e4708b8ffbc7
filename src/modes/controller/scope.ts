// Controller mode's way to the world: one connection to the management cluster, and what the command brought along.
import type {KubeApi} from '../../kube/api.ts';
import type {DesiredCluster} from '../../spec/desired.ts';
import type {Scope, ScopeOptions} from '../mode.ts';

/** Which management cluster, and which namespace of it. Absent: what kubectl would use. */
export interface ManagementReference {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** Open for one command; closed at its end. */
export class ControllerScope implements Scope {
  readonly api: KubeApi;
  /** Where the cluster's objects are. */
  readonly namespace: string;
  readonly options: ScopeOptions;

  constructor(api: KubeApi, namespace: string, options: ScopeOptions) {
    this.api = api;
    this.namespace = namespace;
    this.options = options;
  }

  static async open(reference: ManagementReference, options: ScopeOptions): Promise<ControllerScope> {
    const {connect} = await import('../../kube/client.ts');
    const {kubeconfig, context, namespace} = reference;
    const api = await connect({
      ...(kubeconfig === undefined ? {} : {kubeconfig}),
      ...(context === undefined ? {} : {context}),
      signal: options.signal,
      redactor: options.redactor,
      warn: options.warn,
    });
    return new ControllerScope(api, namespace ?? api.namespace, options);
  }

  async close(): Promise<void> {
    this.api.close();
  }
}

/** The management cluster that a file names; the kubeconfig's path is relative to the file. */
export function referenceOf(cluster: DesiredCluster, resolvePath: (path: string) => string): ManagementReference {
  const {kubeconfig, context, namespace} = cluster.document.spec.controller ?? {};
  return {
    ...(kubeconfig === undefined ? {} : {kubeconfig: resolvePath(kubeconfig)}),
    ...(context === undefined ? {} : {context}),
    ...(namespace === undefined ? {} : {namespace}),
  };
}
