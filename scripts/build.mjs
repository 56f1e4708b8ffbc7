// Builds dist/: the program's bundle, the agent's bundle, oclif's manifest. Quick when nothing changed: a digest over all that goes in is kept in dist/.stamp.
// Types are checked by `npm run check`, not here.
import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {digestOfTree, filesBelow, root} from './tree.mjs';

const stampPath = join(root, 'dist', '.stamp');
const lockPath = join(root, 'node_modules', '.trireme-build');
const nextFolder = join(root, 'node_modules', '.trireme-dist');
const bundlers = {program: join(root, 'scripts', 'bundle-program.mjs'), agent: join(root, 'scripts', 'bundle-agent.mjs')};
const inputs = [
  'src',
  'bin',
  'scripts/build.mjs',
  'scripts/builtins.mjs',
  'scripts/bundle-agent.mjs',
  'scripts/bundle-program.mjs',
  'tsconfig.json',
  'package.json',
  'package-lock.json',
];
/** How long another build is waited for, in ms. */
const patience = 180_000;

function run(title, program, args) {
  // oclif's own update check would go to the network.
  const {status, error} = spawnSync(program, args, {cwd: root, stdio: ['ignore', 2, 2], env: {...process.env, OCLIF_SKIP_NEW_VERSION_CHECK: 'true'}});
  if (error !== undefined || status !== 0) throw new Error(`Build failed: ${title}${error === undefined ? '' : ` (${error.message})`}`);
}

function isBuilt(digest) {
  return existsSync(stampPath) && readFileSync(stampPath, 'utf8') === digest && existsSync(join(root, 'oclif.manifest.json'));
}

/** Puts what is new in place, file by file and each at once: a program that is running from dist/ finds whole files. */
function takeOver() {
  for (const name of readdirSync(nextFolder, {recursive: true})) {
    const from = join(nextFolder, name);
    const to = join(root, 'dist', name);
    if (statSync(from).isDirectory()) continue;
    if (existsSync(to) && readFileSync(from).equals(readFileSync(to))) continue;
    mkdirSync(dirname(to), {recursive: true});
    renameSync(from, to);
  }
  rmSync(nextFolder, {recursive: true, force: true});
}

/**
 * Modules whose source is gone must not stay: oclif would still find their commands. Chunks of the build before stay for an hour, for programs
 * that run meanwhile and load them late; what is published has none of them.
 */
function removeStale(written, {all}) {
  const kept = new Set(written.map((path) => join('dist', path)));
  const isYoung = (path) => Date.now() - statSync(join(root, path)).mtimeMs < 3_600_000;
  for (const path of filesBelow('dist')) {
    if (!path.endsWith('.js') || path.startsWith(join('dist', 'agent')) || kept.has(path)) continue;
    if (all || !path.startsWith(join('dist', 'chunks')) || !isYoung(path)) rmSync(join(root, path));
  }
}

/** Two builds at once would write into each other: the second waits, and finds everything done. */
function withLock(work) {
  const deadline = Date.now() + patience;
  for (;;) {
    try {
      mkdirSync(lockPath);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (!isOwnerAlive() || Date.now() > deadline) rmSync(lockPath, {recursive: true, force: true});
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
  writeFileSync(join(lockPath, 'pid'), String(process.pid));
  try {
    return work();
  } finally {
    rmSync(lockPath, {recursive: true, force: true});
  }
}

function isOwnerAlive() {
  try {
    process.kill(Number(readFileSync(join(lockPath, 'pid'), 'utf8')), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM' || error.code === 'ENOENT'; // ENOENT: it is just being taken or given back
  }
}

/** Builds unless dist/ was built from the very same sources; returns whether it built. */
export function build({force = false} = {}) {
  if (!force && isBuilt(digestOfTree(inputs))) return false;
  return withLock(() => {
    const digest = digestOfTree(inputs);
    if (!force && isBuilt(digest)) return false;
    const began = Date.now();
    rmSync(stampPath, {force: true});
    rmSync(nextFolder, {recursive: true, force: true});
    mkdirSync(nextFolder, {recursive: true});
    run('bundle-program', process.execPath, [bundlers.program, nextFolder]);
    const list = join(nextFolder, '.files.json');
    const written = JSON.parse(readFileSync(list, 'utf8'));
    rmSync(list);
    takeOver();
    removeStale(written, {all: force});
    run('bundle-agent', process.execPath, [bundlers.agent]);
    run('oclif manifest', process.execPath, [join(root, 'node_modules', 'oclif', 'bin', 'run.js'), 'manifest', '.']);
    writeFileSync(stampPath, digest);
    process.stderr.write(`Built in ${((Date.now() - began) / 1000).toFixed(1)} s.\n`);
    return true;
  });
}

if (import.meta.filename === process.argv[1]) {
  try {
    build({force: process.argv.includes('--force')});
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
