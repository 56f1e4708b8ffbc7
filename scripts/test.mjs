// npm test: makes the clone ready, then runs the unit, integration and contract suites. Arguments go to vitest: npm test -- test/unit/ssh
import {spawn} from 'node:child_process';
import {join} from 'node:path';
import {setup} from './setup.mjs';

await setup();
const vitest = join(import.meta.dirname, '..', 'node_modules', 'vitest', 'vitest.mjs');
const child = spawn(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {stdio: 'inherit', cwd: join(import.meta.dirname, '..')});
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
