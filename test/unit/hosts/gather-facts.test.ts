import {expect, it} from 'vitest';
import {gatherFacts} from '../../../src/hosts/gather-facts.ts';
import type {HostRunner, RunOptions} from '../../../src/ssh/runner.ts';

it('gives a host under load two minutes for the script that takes a second at rest', async () => {
  const asked: RunOptions[] = [];
  const run: HostRunner['run'] = async (_script, options) => {
    asked.push(options);
    return {code: 0, stdout: '', stderr: ''};
  };
  const agent = {program: '/p', seen: '/s', lock: '/l', content: '/c', socket: '/k'};
  await gatherFacts([{host: 'h1'}], {open: async () => ({run}) as HostRunner, script: {agent}, concurrency: 1});
  expect(asked.map((options) => options.deadline)).toEqual([120_000]);
});
