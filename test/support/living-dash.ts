// A dashboard on one cluster, as a command of its own, so that tests can do to it what no test can do to the real one: make a component throw.
// It's bundled and started by the test; it says its process's id in a file.
import {writeFileSync} from 'node:fs';
import {Config, flush} from '@oclif/core';
import {BaseCommand} from '../../src/commands/base-command.ts';
import type {FleetState} from '../../src/fleet/fleet-store.ts';
import {createStore} from '../../src/kernel/store.ts';
import type {ClusterView} from '../../src/modes/mode.ts';
import {runDashboard} from '../../src/ui/app.tsx';
import {fleetOf, testServices} from './screen.ts';

const view: ClusterView = {
  name: 'berth',
  mode: 'agent',
  simulated: true,
  version: 'v1.36.3',
  health: 'healthy',
  reasons: [],
  controlPlanes: {ready: 1, wanted: 1},
  workers: {ready: 1, wanted: 1},
  conditions: [],
  machines: [],
};
const secret = process.env['LIVING_SECRET'] ?? '';
const broken = Object.defineProperty({...view}, 'health', {
  get: () => {
    throw new Error(`no health, but ${secret}`);
  },
}) as ClusterView;

class LivingDash extends BaseCommand<object> {
  static override id = 'living-dash';

  async run() {
    this.redactor.add(secret);
    const fleet = createStore<FleetState>(fleetOf([view]));
    process.on('SIGUSR2', () => fleet.set({...fleet.get(), rows: [{id: 'management//berth', source: 'management', view: broken}]}));
    process.on('SIGUSR1', () => void Promise.reject(new Error(`left alone, with ${secret}`)));
    await runDashboard({
      services: {...testServices(fleet.get()), fleet},
      signal: this.signal,
      theme: 'auto',
      color: this.out.terminal.color,
      isAscii: this.out.terminal.isAscii,
      redact: this.out.redact,
    });
    this.signal.throwIfAborted();
    return {};
  }
}

writeFileSync(process.env['LIVING_PID'] ?? '', String(process.pid));
await LivingDash.run([], await Config.load(process.env['LIVING_ROOT'] ?? ''));
await flush();
process.exit(process.exitCode ?? 0);
