// Whether webhooks really answer: the API server is asked, by dry runs, to have them look at objects of the kinds that they guard.
import {isTriremeError, TriremeError} from '../../../kernel/errors.ts';
import {sleep} from '../../../kernel/cancel.ts';
import type {KubeApi} from '../../../kube/api.ts';
import {type KubeObject, listAt, textAt, valueAt} from '../../../kube/object.ts';
import {crdsOf, webhookConfigurationsOf} from './components.ts';
import {sampleOf} from './sample-object.ts';
import type {Patience} from './write-objects.ts';

/** One webhook configuration, and objects that make the API server call its webhooks. */
export interface WebhookProbe {
  /** `ValidatingWebhookConfiguration capi-validating-webhook-configuration`. */
  readonly of: string;
  readonly isMutating: boolean;
  /** The webhooks' names, as denials quote them. */
  readonly names: readonly string[];
  readonly objects: readonly KubeObject[];
}

/** At most so many kinds of one configuration are tried: they are served by the same program. */
const kindsTried = 6;

/** For each webhook configuration of the components, objects of kinds that it is asked about on creation. */
export function probesOf(objects: readonly KubeObject[], namespace: string): readonly WebhookProbe[] {
  const crds = crdsOf(objects);
  return webhookConfigurationsOf(objects).map((configuration) => {
    const of = `${configuration.kind} ${configuration.metadata.name}`;
    const rules = listAt(configuration, 'webhooks').flatMap((webhook) => listAt(webhook, 'rules'));
    const probes = rules
      .filter((rule) => ['CREATE', '*'].some((operation) => listAt(rule, 'operations').includes(operation)))
      .flatMap((rule) => crds.flatMap((crd) => sampleFor(crd, rule, namespace) ?? []));
    return {
      of,
      isMutating: configuration.kind === 'MutatingWebhookConfiguration',
      names: listAt(configuration, 'webhooks').flatMap((webhook) => textAt(webhook, 'name') ?? []),
      objects: probes.slice(0, kindsTried),
    };
  });
}

function sampleFor(crd: KubeObject, rule: unknown, namespace: string): KubeObject | undefined {
  const has = (list: string, value: string | undefined) => listAt(rule, list).some((one) => one === value || one === '*');
  const version = listAt(crd, 'spec', 'versions').find((one) => valueAt(one, 'served') === true && has('apiVersions', textAt(one, 'name')));
  if (version === undefined || !has('apiGroups', textAt(crd, 'spec', 'group')) || !has('resources', textAt(crd, 'spec', 'names', 'plural'))) return undefined;
  return sampleOf(crd, version, namespace);
}

/**
 * Waits until every configuration's webhooks answer; returns how many did so for sure. An answer is a dry run that goes through or is denied; a 500
 * means that the API server couldn't reach one. Throws `wait.timed-out` with the server's reason.
 */
export async function waitForWebhooks(
  api: KubeApi,
  probes: readonly WebhookProbe[],
  patience: Patience & {readonly note?: (text: string) => void},
): Promise<number> {
  const end = Date.now() + patience.timeout;
  const either = AbortSignal.any([patience.signal, patience.stopping]);
  let answered = 0;
  for (const probe of probes) {
    for (;;) {
      const result = await probeOnce(api, probe, patience.signal);
      if (result.state !== 'silent') {
        if (result.state === 'answers') answered += 1;
        break;
      }
      patience.note?.(`${probe.of}: ${result.why}`);
      if (Date.now() >= end)
        throw new TriremeError('wait.timed-out', `The webhooks of ${probe.of} don't answer after ${patience.timeout / 1000} s: ${result.why}`, {
          hints: ["Look at the provider's pods and at the certificate of its webhooks: kubectl get certificates,pods -A"],
        });
      await sleep(1000, either);
    }
  }
  return answered;
}

type ProbeResult = {readonly state: 'answers' | 'untold'} | {readonly state: 'silent'; readonly why: string};

/** The first object that tells something decides; `untold` when the API server's own schema stops them all. */
async function probeOnce(api: KubeApi, probe: WebhookProbe, signal: AbortSignal): Promise<ProbeResult> {
  let silent: string | undefined;
  for (const object of probe.objects) {
    try {
      await api.create(object, {dryRun: true, signal});
      return {state: 'answers'};
    } catch (error) {
      if (!isTriremeError(error)) throw error;
      if (isDenial(error, probe)) return {state: 'answers'};
      if (error.code === 'api.failed' || error.code === 'api.unreachable') return {state: 'silent', why: error.message};
      if (error.code === 'api.kind-unknown' || error.code === 'api.not-found') silent = error.message;
      else if (error.code !== 'api.invalid') throw error;
    }
  }
  return silent === undefined ? {state: 'untold'} : {state: 'silent', why: silent};
}

/** Mutating webhooks come before the schema, validating ones behind it; a webhook's denial quotes its name. That one may create was asked before. */
function isDenial(error: TriremeError, {isMutating, names}: WebhookProbe): boolean {
  if (error.code === 'api.forbidden' || error.code === 'api.conflict') return true;
  return error.code === 'api.invalid' && (isMutating || names.some((name) => error.message.includes(`"${name}"`)));
}
