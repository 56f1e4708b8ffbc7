// Builds dist/: TypeScript, the agent's bundle, oclif's manifest. Quick when nothing changed: a digest over all that goes in is kept in dist/.stamp.
import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {digestOfTree, root} from './tree.mjs';

const stampPath = join(root, 'dist', '.stamp');
const bundler = join(root, 'scripts', 'bundle-agent.mjs');
const inputs = ['src', 'bin', 'scripts/build.mjs', 'scripts/bundle-agent.mjs', 'tsconfig.json', 'tsconfig.build.json', 'package.json', 'package-lock.json'];

function run(title, program, args) {
  const {status, error} = spawnSync(program, args, {cwd: root, stdio: ['ignore', 2, 2]});
  if (error !== undefined) throw error;
  if (status !== 0) {
    process.stderr.write(`Build failed: ${title}\n`);
    process.exit(1);
  }
}

/** Builds unless dist/ was built from the very same sources; returns whether it built. */
export function build({force = false} = {}) {
  const digest = digestOfTree(inputs);
  if (!force && existsSync(stampPath) && readFileSync(stampPath, 'utf8') === digest && existsSync(join(root, 'oclif.manifest.json'))) return false;
  const began = Date.now();
  rmSync(join(root, 'dist'), {recursive: true, force: true});
  mkdirSync(join(root, 'dist'), {recursive: true});
  run('tsc', process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json']);
  if (existsSync(bundler)) run('bundle-agent', process.execPath, [bundler]);
  run('oclif manifest', process.execPath, [join(root, 'node_modules', 'oclif', 'bin', 'run.js'), 'manifest', '.']);
  writeFileSync(stampPath, digest);
  process.stderr.write(`Built in ${((Date.now() - began) / 1000).toFixed(1)} s.\n`);
  return true;
}

if (import.meta.filename === process.argv[1]) build({force: process.argv.includes('--force')});
