import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {simulatedHost} from '../../../src/agentd/distributions/simulated/host.ts';
import {ResetLog} from '../../../src/agentd/reset/report.ts';
import {placesOfAddress, removeServedAddress} from '../../../src/agentd/reset/served-address.ts';

const listed = [
  '1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever',
  '2: eth0    inet 10.77.0.11/24 brd 10.77.0.255 scope global eth0\\       valid_lft forever preferred_lft forever',
  '2: eth0    inet 10.77.0.1/32 scope global deprecated eth0\\       valid_lft forever preferred_lft 0sec',
  '3: bond0.7    inet6 fd00:77::100/128 scope global \\       valid_lft forever preferred_lft forever',
  '',
].join('\n');

describe('the address that this host served', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'served-'));
  });
  afterEach(() => rm(root, {recursive: true, force: true}));

  const remove = async (address: string, answer = {code: 0, stdout: listed, stderr: ''}) => {
    const ran: string[] = [];
    const log = new ResetLog();
    const host = {
      ...simulatedHost('h1', root),
      run: async (program: string, args: readonly string[]) => {
        ran.push([program, ...args].join(' '));
        return args.includes('show') ? answer : {code: 0, stdout: '', stderr: ''};
      },
    };
    await log.attempt('address', () => removeServedAddress(host, address, log));
    return {ran, report: log.report};
  };

  it('is found on the interface that has it, and nothing else is', () => {
    expect(placesOfAddress(listed, '10.77.0.1')).toEqual([{device: 'eth0', network: '10.77.0.1/32'}]);
    expect(placesOfAddress(listed, 'fd00:77::100')).toEqual([{device: 'bond0.7', network: 'fd00:77::100/128'}]);
    expect(placesOfAddress(listed, '10.77.0.100')).toEqual([]);
  });

  it('is taken away, and where there is none nothing is', async () => {
    const {ran, report} = await remove('10.77.0.1');
    expect(ran).toEqual(['ip -oneline address show', 'ip address delete 10.77.0.1/32 dev eth0']);
    expect(report.removed).toEqual(['address 10.77.0.1 of eth0']);
    expect((await remove('10.77.0.100')).ran).toEqual(['ip -oneline address show']);
  });

  it('is not called gone when nobody could be asked', async () => {
    const {report} = await remove('10.77.0.1', {code: 1, stdout: '', stderr: 'Cannot open netlink socket\n'});
    expect(report.failed).toEqual([{what: 'address', why: expect.stringContaining('netlink')}]);
  });
});
