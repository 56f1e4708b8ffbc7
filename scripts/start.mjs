// npm start: makes the clone ready, then plays the main job in the sandbox, or runs the command that is given after `--`.
import {spawn} from 'node:child_process';
import {join} from 'node:path';
import {setup} from './setup.mjs';

await setup();
const args = process.argv.slice(2);
const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'bin', 'run.js'), ...(args.length === 0 ? ['sandbox', 'run'] : args)], {
  stdio: 'inherit',
});
// Ctrl-C reaches the child by itself: it decides when to end.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => signal === 'SIGTERM' && child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
});
