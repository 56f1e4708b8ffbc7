// The endpoint's address on a host that could have been the one that served it: another control plane has it by now, and with two of them every
// connection would be a matter of luck.
import {lastLine, type HostSystem} from '../host-system.ts';
import type {ResetLog} from './report.ts';

const deadline = 30_000;

/** Takes it off whichever interface has it. */
export async function removeServedAddress(host: HostSystem, address: string, log: ResetLog): Promise<void> {
  const listed = await host.run('ip', ['-oneline', 'address', 'show'], {deadline});
  if (listed.code !== 0) throw new Error(lastLine(listed));
  for (const {device, network} of placesOfAddress(listed.stdout, address)) {
    const result = await host.run('ip', ['address', 'delete', network, 'dev', device], {deadline});
    if (result.code !== 0) throw new Error(lastLine(result));
    log.removed(`address ${address} of ${device}`);
  }
}

/** Where an address is, by the lines of `ip -oneline address show`. */
export function placesOfAddress(listed: string, address: string): readonly {readonly device: string; readonly network: string}[] {
  return listed.split('\n').flatMap((line) => {
    const [, device, network = ''] = /^\d+: (\S+)\s+inet6? (\S+)/.exec(line) ?? [];
    return device !== undefined && network.split('/')[0] === address ? [{device, network}] : [];
  });
}
