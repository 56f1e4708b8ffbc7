// A HostRunner without SSH: the scripts run on this computer, below a folder that stands for the host's root.
import {spawn} from 'node:child_process';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import type {HostRunner, RunResult} from '../../src/ssh/runner.ts';

export interface LocalRunner extends HostRunner {
  /** Everything that was run, in order. */
  readonly scripts: readonly string[];
}

/** Runs scripts with TRIREME_ROOT set to `root`; `path` comes first on their PATH. */
export function localRunner(host: string, root: string, path = ''): LocalRunner {
  const scripts: string[] = [];
  const env = {...process.env, TRIREME_ROOT: root, PATH: `${path}:${process.env['PATH'] ?? ''}`};
  const start = (script: string) => {
    scripts.push(script);
    return spawn('/bin/sh', ['-c', script], {env, stdio: ['pipe', 'pipe', 'pipe']});
  };
  return {
    host,
    scripts,
    get roundTrips() {
      return scripts.length;
    },
    run: async (script, options) => {
      const child = start(script);
      const output = {stdout: '', stderr: ''};
      child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
      child.stdin.on('error', () => {}); // a script may end without reading its input
      const input = options.stdin ?? '';
      if (input instanceof Readable) void pipeline(input, child.stdin).catch(() => {});
      else child.stdin.end(input);
      return new Promise<RunResult>((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code) => resolve({code: code ?? 1, ...output}));
      });
    },
    open: async (script) => {
      const child = start(script);
      const exited = new Promise<{code: number}>((resolve) => child.on('close', (code) => resolve({code: code ?? 1})));
      return {stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, exited, close: () => void child.kill()};
    },
    close: async () => {},
  };
}
