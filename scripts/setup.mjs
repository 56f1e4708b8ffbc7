// Makes a clone ready: dependencies by the lockfile, then the build. Quick when nothing changed.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`Trireme needs Node 20.19 or newer; this is ${process.version}. Install a newer Node and try again.\n`);
  process.exit(2);
}

const {spawnSync} = await import('node:child_process');
const {existsSync, readFileSync, writeFileSync} = await import('node:fs');
const {join} = await import('node:path');
const {digestOfTree, root} = await import('./tree.mjs');

const modules = join(root, 'node_modules');
const stampPath = join(modules, '.trireme-stamp');
const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];

/** Installs what the lockfile says unless that is installed already; returns whether it did. */
export function installDependencies() {
  const digest = digestOfTree(['package-lock.json']);
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === digest) return false;
  const complete = isInstalled();
  if (!complete) {
    process.stderr.write('Installing dependencies by package-lock.json ...\n');
    const exact = npm(['ci', ...quiet]);
    // A lockfile that was written where the registry lacks the optional binaries of other platforms is out of step for `npm ci` (EUSAGE) and still right
    // for this platform: `npm install --no-save` takes its versions and leaves it alone. Whether it did is checked below.
    const isOutOfStep = exact.status !== 0 && exact.stderr.includes('EUSAGE');
    const installed = isOutOfStep ? npm(['install', '--no-save', ...quiet]) : exact;
    if (installed.status !== 0) fail(`${installed.stderr}\nThe dependencies can't be installed; what npm said is above. Is the registry reachable?`);
    if (!isInstalled()) fail('What npm installed differs from package-lock.json. Remove node_modules and try again.');
  }
  writeFileSync(stampPath, digest);
  return !complete;
}

/** Runs npm as the one that runs us, else the one on the PATH. */
function npm(args) {
  const own = process.env.npm_execpath;
  const options = {cwd: root, encoding: 'utf8', stdio: ['ignore', 2, 'pipe']};
  const ran = own?.endsWith('.js') ? spawnSync(process.execPath, [own, ...args], options) : spawnSync('npm', args, options);
  if (ran.error?.code === 'ENOENT') fail("npm isn't on the PATH; it comes with Node.");
  return {status: ran.status, stderr: `${ran.error?.message ?? ''}${ran.stderr ?? ''}`};
}

/** True when npm's own record of what is installed agrees with the lockfile. */
function isInstalled() {
  const recordPath = join(modules, '.package-lock.json');
  if (!existsSync(recordPath)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const found = JSON.parse(readFileSync(recordPath, 'utf8')).packages;
  const isRight = ([path, {version, optional}]) => path === '' || found[path]?.version === version || (optional === true && found[path] === undefined);
  return Object.entries(wanted).every(isRight);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** Dependencies, then the build. */
export async function setup() {
  installDependencies();
  const {build} = await import('./build.mjs');
  build();
}

if (import.meta.filename === process.argv[1]) await setup();
