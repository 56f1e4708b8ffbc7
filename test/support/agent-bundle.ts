// The agent's program as the push finds it: bundled from the sources that are being tested.
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {exec} from '../../src/kernel/exec.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Makes dist/agent/trireme-agent.mjs anew; the old one is replaced at once when it's complete. */
export async function buildAgent(): Promise<void> {
  const {code, stderr} = await exec(process.execPath, [join(root, 'scripts', 'bundle-agent.mjs')], {deadline: 60_000, cwd: root, env: process.env});
  if (code !== 0) throw new Error(`The agent can't be bundled: ${stderr}`);
}
