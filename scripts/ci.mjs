// Runs everything in order, within a budget of 70 minutes, and prints how long each stage took. Ends with `N passed, N failed, N skipped`.
import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {cache, isBuilt, versions} from '../test/testbed/parts.mjs';

const budget = 70 * 60_000;
const started = Date.now();
const reports = mkdtempSync(join(tmpdir(), 'trireme-ci-'));
const stages = [];
const totals = {passed: 0, failed: 0, skipped: 0};
/** Said again at the end: what comes first in a long log is easily lost. */
const failures = [];

const left = () => budget - (Date.now() - started);
const minutes = (ms) => `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;

/** Runs a stage to its end or to the end of the budget; a stage without a report counts as one test. */
function stage(name, command, args, {report = false} = {}) {
  console.log(`\n=== ${name}`);
  const begun = Date.now();
  const file = join(reports, `${stages.length}.json`);
  const failed = join(reports, `${stages.length}-failures.json`);
  const more = report ? ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`, '--reporter=./scripts/failures-reporter.mjs'] : [];
  const {status, signal} = spawnSync(command, [...args, ...more], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {...process.env, TRIREME_FAILURES: failed},
    timeout: Math.max(60_000, left() + 5 * 60_000),
    killSignal: 'SIGTERM',
  });
  const ok = status === 0;
  let counted = '';
  if (report && existsSync(file)) {
    const {numPassedTests, numFailedTests, numPendingTests, numTodoTests} = JSON.parse(readFileSync(file, 'utf8'));
    const numFailed = Math.max(numFailedTests, ok ? 0 : 1);
    totals.passed += numPassedTests;
    totals.failed += numFailed;
    totals.skipped += numPendingTests + numTodoTests;
    counted = `${numPassedTests} passed, ${numFailed} failed, ${numPendingTests + numTodoTests} skipped`;
  } else {
    totals[ok ? 'passed' : 'failed'] += 1;
  }
  if (existsSync(failed)) failures.push(...JSON.parse(readFileSync(failed, 'utf8')));
  stages.push({name, ms: Date.now() - begun, result: ok ? counted || 'passed' : `FAILED (${signal ?? `exit ${status}`}) ${counted}`});
  return ok;
}

function skipped(name, why) {
  totals.skipped += 1;
  stages.push({name, ms: 0, result: `skipped: ${why}`});
}

/** Files of the long suite, beginning at a place that the commit chooses, so that each gets its turn. */
function longShards() {
  if (!existsSync('test/long')) return [];
  const files = readdirSync('test/long')
    .filter((file) => file.endsWith('.test.ts'))
    .toSorted();
  const head = spawnSync('git', ['rev-parse', 'HEAD'], {encoding: 'utf8'}).stdout.trim();
  const offset = files.length === 0 ? 0 : Number.parseInt(head.slice(0, 6) || '0', 16) % files.length;
  return [...files.slice(offset), ...files.slice(0, offset)];
}

/** How long a file of the long suite takes, with something to spare; those that aren't in the list take no longer than the last figure. */
function minutesOf(file) {
  const known = JSON.parse(readFileSync('test/long/minutes.json', 'utf8'));
  return known[file.replace('.test.ts', '')] ?? 8;
}

/** Parts of the test bed that only some files of the long suite need: built before the first of them, where the budget allows it. */
const extraParts = [
  {name: 'registry', minutes: 3, suites: ['crew-layers'], isThere: () => isBuilt('registry', versions.registry, 'registry')},
  {
    name: 'kubernetes-v1.35.4',
    minutes: 15,
    suites: ['crew-faults-upgrade', 'crew-upgrade', 'dash-hosts-real'],
    isThere: () => existsSync(join(cache, 'public', 'dl.k8s.io', 'release', 'v1.35.4')),
  },
];

/** Builds a part, and what is made of it: images, and the places that programs are downloaded from. */
function buildPart(name) {
  const commands = [`bash test/testbed/build.sh ${name}`, 'node test/testbed/images.mjs', 'node test/testbed/public-places.mjs build'];
  return stage(`test bed: ${name}`, 'bash', ['-c', commands.join(' && ')]);
}

let ok = stage('unit, integration and contract suites (npm test)', 'npm', ['test', '--'], {report: true});
ok = stage('gates (npm run check)', 'npm', ['run', 'check']) && ok;
const bed =
  stage('test bed: packages', 'bash', ['test/testbed/setup.sh']) && stage('test bed: programs and images', 'node', ['scripts/test-real.mjs', '--only-build']);
ok = bed && ok;
if (bed) ok = stage('suites on real parts (npm run test:real)', 'node', ['scripts/test-real.mjs', '--no-build'], {report: true}) && ok;
else skipped('suites on real parts', "the test bed isn't there");
for (const file of longShards()) {
  const part = bed ? extraParts.find(({suites, isThere}) => suites.includes(file.replace('.test.ts', '')) && !isThere()) : undefined;
  const needed = minutesOf(file) + (part?.minutes ?? 0);
  if (left() < needed * 60_000) {
    skipped(`long suite: ${file}`, `${needed} minutes aren't left in the budget`);
    continue;
  }
  if (part !== undefined) ok = buildPart(part.name) && ok;
  ok = stage(`long suite: ${file}`, 'npx', ['vitest', 'run', '--config', 'vitest.long.config.ts', `test/long/${file}`], {report: true}) && ok;
}

rmSync(reports, {recursive: true, force: true});
if (failures.length > 0) console.log(`\n=== failures\n${failures.map((failure) => `  ${failure}`).join('\n')}`);
console.log('\n=== stages');
for (const {name, ms, result} of stages) console.log(`${minutes(ms).padStart(14)}  ${name}: ${result}`);
console.log(`${minutes(Date.now() - started).padStart(14)}  in all`);
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = ok ? 0 : 1;
