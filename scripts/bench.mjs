// `npm run bench`: ratios against other tools in the same run. Names of benches as arguments run only those.
import {spawnSync} from 'node:child_process';

const {status} = spawnSync('node', ['scripts/setup.mjs'], {stdio: 'inherit'});
if (status !== 0) process.exit(status ?? 1);

// benches reach into single modules, which the program's bundle doesn't have
const compiled = spawnSync('npx', ['tsc', '-p', 'tsconfig.build.json'], {stdio: 'inherit'});
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

const benches = {
  startup: async () => (await import('../test/bench/startup.mjs')).benchStartup(),
  transfer: async () => (await import('../test/bench/transfer.mjs')).benchTransfer(),
  facts: async () => (await import('../test/bench/facts.mjs')).benchFacts(),
  unchanged: async () => (await import('../test/bench/unchanged.mjs')).benchUnchanged(),
  agent: async () => (await import('../test/bench/agent.mjs')).benchAgent(),
  management: async () => (await import('../test/bench/management.mjs')).benchManagement(),
  observe: async () => (await import('../test/bench/observe.mjs')).benchObserve(),
  dash: async () => (await import('../test/bench/dash.mjs')).benchDash(),
  install: async () => (await import('../test/bench/real.mjs')).benchInstall(),
  upgrade: async () => (await import('../test/bench/real.mjs')).benchUpgrade(),
};
const wanted = process.argv.slice(2);
// an upgrade begins with an installation, which it prints, too
const usual = Object.keys(benches).filter((name) => name !== 'install');
const unknown = wanted.filter((name) => benches[name] === undefined);
if (unknown.length > 0) throw new Error(`There's no bench ${unknown.join(', ')}. Benches: ${Object.keys(benches).join(', ')}`);
for (const [name, bench] of Object.entries(benches)) if ((wanted.length === 0 ? usual : wanted).includes(name)) await bench();
