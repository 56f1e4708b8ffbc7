// The Run screen alone, over the record of one run: what `history RUN --replay` opens.
import {createRunDesk, type Desk} from '../actions/desk.ts';
import {stateFolder} from '../kernel/folders.ts';
import {createStore} from '../kernel/store.ts';
import type {DashPreferences, DashServices} from '../ui/services.ts';

/** No cluster is looked at and nothing can be begun: a record needs nobody. */
export function replayServices(): DashServices {
  const refuse = () => Promise.reject(new Error('A replay begins nothing.'));
  const desk: Desk = {
    actions: [],
    offers: () => [],
    commandLine: () => '',
    preview: refuse,
    start: refuse,
    handOver: refuse,
    runs: createRunDesk(stateFolder()),
  };
  return {
    fleet: createStore({rows: [], sources: {}}),
    preferences: createStore<DashPreferences>({columns: [], group: 'none', sort: {column: 'name', descending: false}}),
    remember: () => {},
    commands: [],
    desk,
    placeOf: () => undefined,
    followCluster: () => ({store: createStore({phase: 'gone'}), close: () => {}}),
    followEvents: () => ({store: createStore({events: [], phase: 'ended'}), close: () => {}}),
    // oxlint-disable-next-line require-yield -- there's no host, and so no line
    logs: async function* () {},
  };
}
