// Every screen.
import type {ScreenTable} from '../screen.ts';
import {clusterScreen} from './cluster.tsx';
import {eventsScreen} from './events.tsx';
import {fleetScreen} from './fleet.tsx';
import {helpScreen} from './help.tsx';
import {historyScreen} from './history.tsx';
import {logsScreen} from './logs.tsx';
import {machineScreen} from './machine.tsx';
import {runScreen} from './run.tsx';

export const screens: ScreenTable = {
  fleet: fleetScreen,
  cluster: clusterScreen,
  machine: machineScreen,
  events: eventsScreen,
  logs: logsScreen,
  run: runScreen,
  history: historyScreen,
  help: helpScreen,
};
