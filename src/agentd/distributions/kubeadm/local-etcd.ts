// The etcd of this very host, by its HTTP gateway: its members, and a copy of its data.
import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {createWriteStream} from 'node:fs';
import {mkdir, open, rm} from 'node:fs/promises';
import {request, type RequestOptions} from 'node:https';
import type {IncomingMessage} from 'node:http';
import {dirname} from 'node:path';
import {createInterface} from 'node:readline';
import {TriremeError} from '../../../kernel/errors.ts';
import type {EtcdMemberState} from '../../../hostcluster/protocol.ts';
import {ClusterApi} from '../../cluster-api.ts';
import {stampOf} from '../../file-step.ts';
import type {HostSystem} from '../../host-system.ts';

const own = 'https://127.0.0.1:2379';
/** In ms. */
const answerDeadline = 3000;
const hashLength = 32;

interface Member {
  readonly ID: string;
  readonly name?: string;
  readonly peerURLs?: readonly string[];
  readonly clientURLs?: readonly string[];
  readonly isLearner?: boolean;
}

interface Status {
  readonly leader?: string;
  readonly version?: string;
  readonly dbSize?: string;
  readonly errors?: readonly string[];
}

/** A connection to each member, as long as our certificate is the same: each new one is work for both sides, and members are asked all the time. */
const kept = new Map<string, {readonly stamp: string; readonly api: ClusterApi}>();

async function keptClient(host: HostSystem, server: string): Promise<ClusterApi | undefined> {
  const stamp = (await stampOf(host.path('/etc/kubernetes/pki/apiserver-etcd-client.crt'))) ?? '';
  const client = kept.get(server)?.stamp === stamp ? undefined : await credentials(host);
  // looked at after the last wait: of two that ask at the same time the second takes what the first has made
  const before = kept.get(server);
  if (before?.stamp === stamp) return before.api;
  before?.api.close();
  kept.delete(server);
  if (client === undefined) return undefined;
  const api = new ClusterApi({server, ...client});
  kept.set(server, {stamp, api});
  return api;
}

/** Those that aren't members any more aren't asked again. */
function closeOthers(members: readonly Member[]): void {
  const servers = new Set([own, ...members.flatMap((member) => member.clientURLs?.[0] ?? [])]);
  for (const [server, {api}] of kept) {
    if (servers.has(server)) continue;
    api.close();
    kept.delete(server);
  }
}

async function credentials(host: HostSystem): Promise<{readonly ca: string; readonly certificate: string; readonly key: string} | undefined> {
  const [ca, certificate, key] = await Promise.all(
    ['etcd/ca.crt', 'apiserver-etcd-client.crt', 'apiserver-etcd-client.key'].map((name) => host.read(`/etc/kubernetes/pki/${name}`)),
  );
  return ca === undefined || certificate === undefined || key === undefined ? undefined : {ca, certificate, key};
}

/** All members as this host's etcd knows them, each asked how it is. Empty where there's no etcd of ours; throws `host.unreachable` when it doesn't answer. */
export async function etcdMembers(host: HostSystem, signal: AbortSignal): Promise<readonly EtcdMemberState[]> {
  if ((await keptClient(host, own)) === undefined) return [];
  const ask = async <T>(server: string, path: string): Promise<T> => {
    const api = await keptClient(host, server);
    if (api === undefined) throw new TriremeError('host.unreachable', `${host.name} has no certificate for etcd any more.`, {host: host.name});
    return api.change<T>({method: 'POST', path, body: {}, deadline: answerDeadline, isRepeatable: true, signal});
  };
  const {members} = await ask<{members: readonly Member[]}>(own, '/v3/cluster/member/list');
  closeOthers(members);
  const states = await Promise.all(
    members.map(async (member): Promise<EtcdMemberState> => {
      const base = {
        name: member.name ?? '',
        id: BigInt(member.ID).toString(16),
        peerUrls: member.peerURLs ?? [],
        learner: member.isLearner === true,
        leader: false,
        healthy: false,
      };
      const [url] = member.clientURLs ?? [];
      if (url === undefined) return {...base, message: 'it was announced and has never started'};
      try {
        const status = await ask<Status>(url, '/v3/maintenance/status');
        const trouble = status.errors ?? [];
        return {
          ...base,
          healthy: trouble.length === 0 && status.leader !== undefined && status.leader !== '0',
          leader: status.leader === member.ID,
          ...(status.version === undefined ? {} : {version: status.version}),
          ...(status.dbSize === undefined ? {} : {size: Number(status.dbSize)}),
          ...(trouble.length === 0 ? {} : {message: trouble.join(', ')}),
        };
      } catch (error) {
        signal.throwIfAborted();
        return {...base, message: (error as Error).message};
      }
    }),
  );
  return states.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Writes a copy of the data to `path`, in the form of `etcdctl snapshot save`, and holds it against the checksum that etcd sends at its end. */
export async function saveSnapshot(host: HostSystem, path: string, signal: AbortSignal): Promise<{readonly version: string}> {
  const client = await credentials(host);
  if (client === undefined)
    throw new TriremeError('backup.failed', `${host.name} has no etcd of its own: what an external etcd holds is backed up there.`, {host: host.name});
  const real = host.path(path);
  await mkdir(dirname(real), {recursive: true, mode: 0o700});
  await rm(real, {force: true});
  const file = createWriteStream(real, {mode: 0o600, flags: 'wx'});
  const hash = createHash('sha256');
  let tail = Buffer.alloc(0);
  let version = '';
  try {
    const answer = await post({ca: client.ca, cert: client.certificate, key: client.key, signal}, '/v3/maintenance/snapshot');
    for await (const line of createInterface({input: answer, crlfDelay: Number.POSITIVE_INFINITY})) {
      if (line.trim() === '') continue;
      const {result, error} = JSON.parse(line) as {result?: {blob?: string; version?: string}; error?: {message?: string}};
      if (error !== undefined) throw new Error(error.message ?? 'etcd stopped in the middle');
      version = result?.version ?? version;
      const blob = Buffer.from(result?.blob ?? '', 'base64');
      if (!file.write(blob)) await once(file, 'drain', {signal});
      // the checksum is the last thing in it, and must not be counted in itself
      const both = Buffer.concat([tail, blob]);
      if (both.length > hashLength) hash.update(both.subarray(0, -hashLength));
      tail = both.subarray(-hashLength);
    }
    await new Promise<void>((resolve, reject) => file.end((failure?: Error | null) => (failure ? reject(failure) : resolve())));
    if (tail.length < hashLength || !hash.digest().equals(tail)) throw new Error('what came has another checksum than etcd says');
    const handle = await open(real, 'r');
    await handle.sync();
    await handle.close();
    return {version};
  } catch (error) {
    file.destroy();
    await rm(real, {force: true});
    signal.throwIfAborted();
    throw new TriremeError('backup.failed', `etcd on ${host.name} gives no snapshot: ${(error as Error).message}.`, {
      host: host.name,
      cause: error,
      hints: ['See how its members are: trireme cluster describe'],
    });
  }
}

function post(options: RequestOptions, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, own), {...options, method: 'POST', headers: {'content-type': 'application/json'}}, (answer) => {
      if (answer.statusCode === 200) resolve(answer);
      else reject(new Error(`it answers ${answer.statusCode}`));
    });
    sent.on('error', reject);
    sent.end('{}');
  });
}
