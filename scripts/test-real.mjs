// `npm run test:real`: brings the test bed's parts together (cached) and runs the suites on real hosts. --only-build, --no-build; the rest goes to vitest.
import {spawnSync} from 'node:child_process';

const args = process.argv.slice(2);
const has = (flag) => args.includes(flag);
const rest = args.filter((arg) => arg !== '--only-build' && arg !== '--no-build');

function must(command, list) {
  const {status} = spawnSync(command, list, {stdio: 'inherit'});
  if (status !== 0) process.exit(status ?? 1);
}

must('node', ['scripts/setup.mjs']);
if (!has('--no-build')) {
  must('bash', ['test/testbed/setup.sh']);
  must('bash', ['test/testbed/build.sh']);
  must('node', ['test/testbed/images.mjs']);
  must('node', ['test/testbed/public-places.mjs', 'build']);
}
if (!has('--only-build')) must('npx', ['vitest', 'run', '--config', 'vitest.real.config.ts', ...rest]);
