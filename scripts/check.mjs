// npm run check: everything that reads the code instead of running it. All of it runs, then the failures are listed.
import {spawnSync} from 'node:child_process';
import {join} from 'node:path';
import {setup} from './setup.mjs';
import {root} from './tree.mjs';

await setup();
const bin = (name) => join(root, 'node_modules', '.bin', name);
const code = ['src', 'test/unit', 'test/integration', 'test/contract', 'test/support', 'scripts', 'bin'];
const checks = [
  ['types', bin('tsc'), ['--noEmit', '-p', 'tsconfig.json']],
  ['lint', bin('oxlint'), ['--type-aware', '--deny-warnings', 'src', 'test', 'scripts', 'bin']],
  ['format', bin('oxfmt'), ['--check', ...code]],
  ['dead code', bin('knip'), []],
  ['package', bin('publint'), ['--strict']],
  ['generated references', process.execPath, [join('scripts', 'generate.mjs'), '--check']],
  ['pictures', process.execPath, [join('scripts', 'pictures.mjs'), '--check']],
];
const failed = [];
for (const [title, program, args] of checks) {
  const began = Date.now();
  const {status} = spawnSync(program, args, {cwd: root, stdio: 'inherit'});
  process.stdout.write(`${status === 0 ? 'ok    ' : 'FAILED'} ${title} (${((Date.now() - began) / 1000).toFixed(1)} s)\n`);
  if (status !== 0) failed.push(title);
}
if (failed.length > 0) {
  process.stderr.write(`Failed: ${failed.join(', ')}\n`);
  process.exitCode = 1;
}
