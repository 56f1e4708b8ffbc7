import {spawnSync} from 'node:child_process';
import {describe, expect, test} from 'vitest';
import {endScript, frameScript, wrapperCommand} from '../../../src/ssh/script-start.ts';

describe('the wrapper', () => {
  const shells = ['sh', 'dash', 'bash', 'ash', 'zsh', 'fish', 'csh', 'tcsh', 'ksh'];
  for (const shell of shells) {
    const isThere = spawnSync(shell, ['-c', 'true']).status === 0;
    test.skipIf(!isThere)(`is understood by ${shell} as a login shell${isThere ? '' : ' (skipped: not installed)'}`, () => {
      const {stdout, status} = spawnSync(shell, ['-c', wrapperCommand({by: 'nothing'})], {
        input: frameScript('echo "it\'s $((1 + 1))!"; exit 4', false),
        encoding: 'utf8',
      });
      expect(stdout).toMatch(/^TRIREME-READY \d+\nit's 2!\n$/);
      expect(status).toBe(4);
    });
  }

  test('holds nothing that a login shell could take for its own', () => {
    for (const command of [wrapperCommand({by: 'nothing'}), wrapperCommand({by: 'sudo'}), wrapperCommand({by: 'password', password: 'canary'})]) {
      const [, inner = ''] = /^[^']*'([^']*)'$/.exec(command) ?? [];
      expect(inner).not.toMatch(/[!\\\n]/);
      expect(inner.length).toBeGreaterThan(20);
      expect(command).not.toContain('canary');
    }
  });

  test('runs no part of a script that was cut off on its way', () => {
    const whole = frameScript('echo first; sleep 0\necho second', false);
    for (const missing of [1, 10, 20]) {
      const {stdout, status} = spawnSync('sh', ['-c', wrapperCommand({by: 'nothing'})], {input: whole.subarray(0, -missing), encoding: 'utf8'});
      expect(stdout).toBe('');
      expect(status).toBe(97);
    }
  });
});

test('a script is ended with all that it started', async () => {
  const {spawn} = await import('node:child_process');
  const child = spawn('sh', ['-c', 'sleep 60 & sh -c "sleep 60 & echo ready; wait" & wait'], {stdio: ['ignore', 'pipe', 'ignore']});
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve())); // when nothing holds its output any more
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.stdout.resume();
  spawnSync('sh', ['-c', endScript(child.pid ?? 0)]);
  await closed;
});
