// Pods of a simulated cluster: only what a drain has to see.
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {agentPaths} from '../../src/hostcluster/protocol.ts';
import type {Sandbox} from '../../src/sandbox/sandbox.ts';

/** Puts a pod onto a node; `held` is why no eviction is allowed. */
export async function simulatedPod(sandbox: Pick<Sandbox, 'hosts'>, name: string, pod: {readonly node: string; readonly held?: string}): Promise<void> {
  const root = sandbox.hosts[0]?.root ?? '';
  const read = async (path: string) => JSON.parse(await readFile(join(root, path), 'utf8')) as {endpoint: {port: number}; bootstrapToken: string};
  const {endpoint} = await read(agentPaths.wanted);
  const {bootstrapToken} = await read(agentPaths.secrets);
  const answer = await fetch(`http://127.0.0.1:${endpoint.port}/simulated/v1/pods/${name}`, {
    method: 'PUT',
    headers: {authorization: `Bearer admin:${bootstrapToken}`},
    body: JSON.stringify(pod),
  });
  if (!answer.ok) throw new Error(`The simulated API answers ${answer.status}.`);
}
