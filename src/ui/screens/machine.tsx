// A machine, or a host that belongs to a cluster: what it is, what is wrong with it, its conditions.
import type {ClusterState} from '../../fleet/cluster-store.ts';
import {actionHandlers} from '../act.ts';
import {subjectIn} from '../subjects.ts';
import {createStore, type WritableStore} from '../../kernel/store.ts';
import type {ClusterView, MachineView} from '../../modes/mode.ts';
import {machineLines} from '../machine-lines.ts';
import {defineScreen, type Opened, type ScreenProps} from '../screen.ts';
import type {Followed} from '../services.ts';
import {usePaced, useTick, useUi} from '../ui-context.ts';
import {useText} from '../use-text.ts';
import {ScreenFrame} from '../widgets/screen-frame.tsx';

interface MachineOpened extends Opened {
  readonly followed: Followed<ClusterState>;
  readonly top: WritableStore<number>;
}

export const machineScreen = defineScreen<'machine', MachineOpened>('machine', {
  crumb: ({machine}) => machine,
  open: ({cluster}, services) => {
    const followed = services.followCluster(cluster);
    return {followed, top: createStore(0), close: () => followed.close()};
  },
  Component: Machine,
});

function Machine({reference, opened}: ScreenProps<'machine', MachineOpened>) {
  const ui = useUi();
  const {theme, area, services, navigator, now, copy} = ui;
  const state = usePaced(opened.followed.store);
  const fleet = usePaced(services.fleet);
  useTick(10_000);
  const view = state.view ?? fleet.rows.find((row) => row.id === reference.cluster)?.view;
  const machine = findMachine(view, reference.machine);
  const isLooking = state.phase === 'looking';
  const text =
    machine === undefined
      ? ['', isLooking ? '  Looking...' : `  ${reference.machine} isn't there any more.`]
      : machineLines(machine, {theme, width: area.columns, now: now(), mode: view?.mode ?? ''});
  const {shown, on} = useText(opened.top, text, area.rows);
  const newest = () => opened.followed.store.get().view ?? services.fleet.get().rows.find((row) => row.id === reference.cluster)?.view;
  const keys = {
    ...on,
    ...actionHandlers(ui, () => subjectIn(services, reference.cluster, reference.machine, newest()), ['machine']),
    copy: () => copy(reference.machine),
    ...(view?.mode === 'controller'
      ? {events: () => navigator.push({kind: 'events', cluster: reference.cluster, object: `Machine/${reference.machine}`})}
      : {logs: () => navigator.push({kind: 'logs', title: `${reference.machine} log`, cluster: reference.cluster, machine: reference.machine})}),
  };
  return <ScreenFrame keys={{scopes: ['machine', 'text'], on: keys}} lines={shown} />;
}

function findMachine(view: ClusterView | undefined, name: string): MachineView | undefined {
  return view?.machines.find((machine) => machine.name === name);
}
