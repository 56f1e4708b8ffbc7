// npm start: makes the clone ready, then plays the main job in the sandbox (`npm start -- controller`: that of controller mode;
// `npm start -- dash`: the dashboard on a living sandbox fleet), or runs the command
// that is given after `--`.
import {spawn} from 'node:child_process';
import {join} from 'node:path';
import {setup} from './setup.mjs';

await setup();
const given = process.argv.slice(2);
const modes = ['agent', 'controller'];
const args =
  given.length === 0 ? ['sandbox', 'run'] : modes.includes(given[0]) ? ['sandbox', 'run', ...given] : given[0] === 'dash' ? ['sandbox', ...given] : given;
const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'bin', 'run.js'), ...args], {
  stdio: 'inherit',
});
// Ctrl-C reaches the child by itself: it decides when to end.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => signal === 'SIGTERM' && child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
});
