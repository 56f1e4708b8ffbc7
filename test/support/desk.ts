// A desk for screens in tests: plans, runs and records as a test says; what is asked of it is kept.
import type {ActionRequest, ClusterPlace} from '../../src/actions/action.ts';
import {argvOf} from '../../src/actions/argv.ts';
import {lineOf, type Desk, type Started} from '../../src/actions/desk.ts';
import {offersForAll, type ModeCapabilities} from '../../src/actions/offers.ts';
import type {Preview} from '../../src/actions/preview.ts';
import {actions} from '../../src/actions/table.ts';
import {createReplay, type ReplayClock} from '../../src/fleet/replay.ts';
import type {RunRow} from '../../src/fleet/run-rows.ts';
import type {FollowedRun} from '../../src/fleet/run-store.ts';
import {emptyRunView} from '../../src/fleet/run-view.ts';
import type {FleetState} from '../../src/fleet/fleet-store.ts';
import type {TriremeEvent} from '../../src/kernel/event.ts';
import {createStore, type WritableStore} from '../../src/kernel/store.ts';

export interface TestDesk extends Desk {
  readonly started: ActionRequest[];
  readonly handedOver: ActionRequest[];
  readonly stopped: string[];
  readonly followed: Map<string, WritableStore<FollowedRun>>;
}

export interface TestDeskOptions {
  readonly modes?: ModeCapabilities;
  readonly preview?: (request: ActionRequest) => Partial<Preview>;
  readonly start?: (request: ActionRequest) => Partial<Started>;
  readonly rows?: readonly RunRow[];
  readonly events?: readonly TriremeEvent[];
  readonly clock?: ReplayClock;
}

const all = [
  ...['converge', 'scale', 'upgrade', 'pause', 'resume', 'restart', 'delete'],
  ...['machine-drain', 'machine-cordon', 'machine-uncordon', 'machine-replace', 'machine-remediate', 'machine-delete'],
];
const everything: ModeCapabilities = {
  controller: Object.fromEntries(all.map((verb) => [verb, {supported: true}])),
  agent: {converge: {supported: true}, scale: {supported: false, reason: 'the machines are yours'}},
};

export function testDesk(options: TestDeskOptions = {}): TestDesk {
  const started: ActionRequest[] = [];
  const handedOver: ActionRequest[] = [];
  const stopped: string[] = [];
  const followed = new Map<string, WritableStore<FollowedRun>>();
  const storeOf = (run: string) => {
    const known = followed.get(run) ?? createStore<FollowedRun>({run, state: 'looking', view: emptyRunView, recent: [], damaged: 0, isCut: false});
    followed.set(run, known);
    return known;
  };
  const commandLine = (request: ActionRequest) => lineOf(argvOf(request));
  return {
    started,
    handedOver,
    stopped,
    followed,
    actions,
    commandLine,
    offers: (subjects) => offersForAll(subjects, options.modes ?? everything),
    preview: async (requests) => requests.map((request) => ({request, commandLine: commandLine(request), warnings: [], ...options.preview?.(request)})),
    start: async (requests) => {
      started.push(...requests);
      return requests.map((request, index) => ({request, ...(options.start?.(request) ?? {run: `20260301-120000-000${index}`})}));
    },
    handOver: async (request) => {
      handedOver.push(request);
      return 0;
    },
    runs: {
      list: async () => options.rows ?? [],
      follow: (run) => {
        const store = storeOf(run);
        return {get: store.get, subscribe: store.subscribe, stop: () => {}};
      },
      replay: async () => createReplay(options.events ?? [], options.clock),
      stop: async (run) => {
        stopped.push(run);
        return true;
      },
    },
  };
}

export function placeIn(fleet: FleetState, id: string): ClusterPlace | undefined {
  const row = fleet.rows.find((one) => one.id === id);
  if (row === undefined) return undefined;
  const {name, mode, context, namespace} = row.view;
  return {
    name,
    mode,
    files: row.known?.files ?? [],
    ...(context === undefined ? {} : {context}),
    ...(namespace === undefined ? {} : {namespace}),
  };
}
