// `trireme --version` and `trireme validate` against a bare `node -e 0`.
import {fileURLToPath} from 'node:url';
import {compare, report, runProcess} from './measure.mjs';

const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const file = fileURLToPath(new URL('../fixtures/bench/trireme.yaml', import.meta.url));
const bare = () => runProcess(process.execPath, ['-e', '0']);

export async function benchStartup() {
  report('trireme --version against node -e 0', await compare(() => runProcess(process.execPath, [program, '--version']), bare, {runs: 11}));
  report('trireme validate against node -e 0', await compare(() => runProcess(process.execPath, [program, 'validate', '-f', file]), bare, {runs: 11}));
}
