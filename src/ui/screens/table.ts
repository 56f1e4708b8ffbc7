// Every screen.
import type {ScreenTable} from '../screen.ts';
import {clusterScreen} from './cluster.tsx';
import {eventsScreen} from './events.tsx';
import {fleetScreen} from './fleet.tsx';
import {helpScreen} from './help.tsx';
import {logsScreen} from './logs.tsx';
import {machineScreen} from './machine.tsx';

export const screens: ScreenTable = {
  fleet: fleetScreen,
  cluster: clusterScreen,
  machine: machineScreen,
  events: eventsScreen,
  logs: logsScreen,
  help: helpScreen,
};
