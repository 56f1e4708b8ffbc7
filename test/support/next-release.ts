// The program as a later build of it would be: all the same, but for the agent that it carries.
import {appendFile, cp, mkdtemp, rm, symlink} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {program} from './trireme.ts';

export interface NextRelease {
  /** Its bin/run.js. */
  readonly program: string;
  remove(): Promise<void>;
}

export async function makeNextRelease(): Promise<NextRelease> {
  const root = dirname(dirname(program));
  const folder = await mkdtemp(join(tmpdir(), 'trireme-next-'));
  for (const part of ['bin', 'dist', 'package.json', 'oclif.manifest.json']) await cp(join(root, part), join(folder, part), {recursive: true});
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await appendFile(join(folder, 'dist/agent/trireme-agent.mjs'), '\n// a later build\n');
  return {program: join(folder, 'bin/run.js'), remove: () => rm(folder, {recursive: true, force: true})};
}
