// The embedded management API: a Kubernetes API in this process, on loopback, with simulated Cluster API controllers. Everything in it is SIMULATED.
//
// How a client knows: every answer has the header `trireme-simulated: true`, /version says `+simulated`, and the kubeconfig's cluster has the
// extension `trireme-simulated`. The header is what counts: a kubeconfig can be rewritten, and a version be faked.
import {generateKeyPair} from 'node:crypto';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {selfSignedAuthority} from '../../kernel/certificate.ts';
import {writeFileAtomic} from '../../kernel/files.ts';
import {renderKubeconfig, type Kubeconfig} from '../../kube/kubeconfig.ts';
import {adminRules, readOnlyRules, Tokens, type Rule} from './access.ts';
import {Admission} from './admission/admission.ts';
import {startControllers, type Controllers} from './controllers/controllers.ts';
import {paceNamed, type Pace, type PaceName} from './controllers/pace.ts';
import {Faults} from './faults.ts';
import {KindRegistry} from './kinds.ts';
import {followDefinitions} from './registrar.ts';
import {seed} from './seeds.ts';
import {ManagementServer} from './server.ts';
import {ObjectStore} from './store.ts';
import {Writes} from './writes.ts';

export interface ManagementOptions {
  /** How long simulated things take: `fast` (ms, tests), `demo` (a second or so), `real` (as the objects say, ten seconds a machine). Default `fast`. */
  readonly pace?: PaceName | Pace;
  /** Where the kubeconfigs are written; default: a new folder, removed by `stop`. */
  readonly folder?: string;
  /** Default: any free one. */
  readonly port?: number;
  /** Name of the kubeconfig's context and cluster. Default `sandbox`. */
  readonly name?: string;
  /** False: without Cluster API, as before `provider init`. Default true. */
  readonly providers?: boolean;
  /** False: nothing is reconciled, objects stay as they were written. Default true. */
  readonly controllers?: boolean;
  /**
   * Kubeconfigs of simulated clusters, by name: another embedded API stands in for the cluster's own, so that layers and providers can be put there.
   * Default: an address where nothing answers.
   */
  readonly workloads?: Readonly<Record<string, string>>;
  /** How many changes are remembered for watches that come back. Default 20,000. */
  readonly historyLimit?: number;
  /** Between bookmarks, in ms. Default 10 s. */
  readonly bookmarkInterval?: number;
}

export interface Credentials {
  readonly token: string;
  readonly kubeconfig: {readonly path: string; readonly text: string};
}

export interface ManagementApi extends Credentials {
  /** `https://127.0.0.1:PORT`. */
  readonly server: string;
  readonly folder: string;
  /** PEM. */
  readonly certificate: string;
  /** For tests and benches: what is kept, without HTTP. */
  readonly store: ObjectStore;
  readonly kinds: KindRegistry;
  readonly writes: Writes;
  readonly faults: Faults;
  readonly controllers: Controllers | undefined;
  readonly http: ManagementServer;
  /** A user of one's own; default rules: read only. */
  addUser(name: string, rules?: readonly Rule[]): Promise<Credentials>;
  /** The token isn't accepted any more. */
  revoke(token: string): void;
  /** Forgets the history: watches that come back and lists that go on get 410. */
  expireHistory(): void;
  stop(): Promise<void>;
}

const newKeyPair = promisify(generateKeyPair);
const dayMs = 86_400_000;

/** Starts it; call `stop` in the end. */
export async function startManagement(options: ManagementOptions = {}): Promise<ManagementApi> {
  const {privateKey} = await newKeyPair('rsa', {modulusLength: 2048});
  const now = Date.now();
  const certificate = selfSignedAuthority({
    commonName: 'localhost',
    addresses: ['127.0.0.1'],
    key: privateKey,
    notBefore: new Date(now - dayMs),
    notAfter: new Date(now + 30 * dayMs),
  });
  const kinds = new KindRegistry();
  const store = new ObjectStore(options.historyLimit ?? 20_000);
  const writes = new Writes({store, kinds, admission: new Admission({store, kinds})});
  const tokens = new Tokens();
  const faults = new Faults();
  followDefinitions({store, kinds, writes});
  seed(writes, kinds, {providers: options.providers ?? true});
  const key = privateKey.export({type: 'pkcs8', format: 'pem'}) as string;
  const http = new ManagementServer({store, kinds, writes, tokens, faults, certificate, key, bookmarkInterval: options.bookmarkInterval ?? 10_000});
  const port = await http.open(options.port ?? 0);
  const server = `https://127.0.0.1:${port}`;
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'trireme-management-')));
  const name = options.name ?? 'sandbox';
  const pace = typeof options.pace === 'object' ? options.pace : paceNamed(options.pace ?? 'fast');
  const controllers = options.controllers === false ? undefined : startControllers({store, kinds, writes, faults, pace, workloads: options.workloads ?? {}});

  const issue = async (user: string, groups: readonly string[], rules: readonly Rule[], file: string): Promise<Credentials> => {
    const token = tokens.issue({name: user, groups, rules});
    const text = renderKubeconfig(kubeconfigOf({name, server, certificate, user, token}));
    const path = join(folder, file);
    await writeFileAtomic(path, text, {mode: 0o600});
    return {token, kubeconfig: {path, text}};
  };
  const admin = await issue('sandbox-admin', ['system:masters', 'system:authenticated'], adminRules, 'kubeconfig');

  return {
    ...admin,
    server,
    folder,
    certificate,
    store,
    kinds,
    writes,
    faults,
    controllers,
    http,
    addUser: (user, rules = readOnlyRules) => issue(user, ['system:authenticated'], rules, `kubeconfig-${user}`),
    revoke: (token) => tokens.revoke(token),
    expireHistory: () => {
      store.compact();
      http.reads.forget();
    },
    stop: async () => {
      controllers?.stop();
      await http.close();
      if (options.folder === undefined) await rm(folder, {recursive: true, force: true});
    },
  };
}

interface KubeconfigParts {
  readonly name: string;
  readonly server: string;
  readonly certificate: string;
  readonly user: string;
  readonly token: string;
}

function kubeconfigOf({name, server, certificate, user, token}: KubeconfigParts): Kubeconfig {
  const extensions = [{name: 'trireme-simulated', extension: {simulated: true}}];
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{name, cluster: {server, 'certificate-authority-data': Buffer.from(certificate).toString('base64'), extensions}}],
    users: [{name: user, user: {token}}],
    contexts: [{name, context: {cluster: name, user, namespace: 'default'}}],
    'current-context': name,
  };
}
