// A program on a pseudo-terminal whose screen is read as a terminal shows it; times are taken when the change is on that screen.
import {readFileSync} from 'node:fs';
import {spawn} from '@lydell/node-pty';
import xterm from '@xterm/headless';

/** Opens it. `seen(test, ms)` resolves with the time (performance.now()) at which the screen first fits. */
export function openWatched(file, args, {columns = 120, rows = 40, env, cwd}) {
  const terminal = new xterm.Terminal({cols: columns, rows, scrollback: 0, allowProposedApi: true});
  const started = performance.now();
  const pty = spawn(file, args, {cols: columns, rows, name: 'xterm-256color', env: {TERM: 'xterm-256color', LANG: 'C.UTF-8', CI: 'false', ...env}, cwd});
  const looks = new Set();
  let bytes = 0;
  pty.onData((text) => {
    bytes += Buffer.byteLength(text);
    terminal.write(text, () => {
      for (const look of looks) look();
    });
  });
  terminal.onData((answer) => pty.write(answer));
  const ended = new Promise((resolve) => pty.onExit(resolve));
  const line = (row) => terminal.buffer.active.getLine(terminal.buffer.active.viewportY + row)?.translateToString(true) ?? '';
  const lines = () => Array.from({length: rows}, (_, row) => line(row));
  return {
    pid: pty.pid,
    started,
    ended,
    lines,
    line,
    get bytes() {
      return bytes;
    },
    press: (text) => pty.write(text),
    seen: (test, patience = 20_000) =>
      new Promise((resolve, reject) => {
        const done = (work) => {
          looks.delete(look);
          clearTimeout(timer);
          work();
        };
        const look = () => {
          if (test(lines())) done(() => resolve(performance.now()));
        };
        const timer = setTimeout(() => done(() => reject(new Error(`not on the screen after ${patience} ms:\n${lines().join('\n')}`))), patience);
        looks.add(look);
        look();
      }),
    close: async () => {
      pty.kill('SIGTERM');
      await ended;
      terminal.dispose();
    },
  };
}

/** MiB: now, and at most until now. */
export function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return {rss: of('VmRSS'), peak: of('VmHWM')};
}

/** CPU time that a process used until now, in ms. Linux counts in ticks of 10 ms. */
export function cpuOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [, , , , , , , , , , , user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(user) + Number(system)) * 10;
}
