// What a screen's cursor and marks stand for, as subjects of actions.
import type {ClusterPlace, Subject} from '../actions/action.ts';
import type {RunRow} from '../fleet/run-rows.ts';
import type {ClusterView} from '../modes/mode.ts';
import type {DashServices} from './services.ts';

/** Fleet rows, by their ids. */
export function clusterSubjects(services: DashServices, ids: readonly string[]): readonly Subject[] {
  const {rows} = services.fleet.get();
  return ids.flatMap((id): readonly Subject[] => {
    const cluster = services.placeOf(id);
    const view = rows.find((row) => row.id === id)?.view;
    return cluster === undefined ? [] : [{about: 'cluster', cluster, ...(view === undefined ? {} : {view})}];
  });
}

/** A machine of a cluster; without its name the cluster itself. `view` is the newest that is known. */
export function subjectIn(services: DashServices, id: string, machine: string | undefined, view: ClusterView | undefined): readonly Subject[] {
  const cluster = services.placeOf(id);
  if (cluster === undefined) return [];
  const seen = view === undefined ? {} : {view};
  return machine === undefined ? [{about: 'cluster', cluster, ...seen}] : [{about: 'machine', cluster, machine, ...seen}];
}

/** `all`: every run that is known, the newest first: only the last one of a cluster can be gone on with. */
export function runSubjects(rows: readonly RunRow[], all: readonly RunRow[]): readonly Subject[] {
  const isSuperseded = ({run, header}: RunRow) => all.find((one) => one.header?.cluster === header?.cluster)?.run !== run;
  return rows.flatMap((row): readonly Subject[] =>
    row.header === undefined
      ? []
      : [
          {
            about: 'run',
            run: row.run,
            state: row.state,
            cluster: placeOfRun(row.header),
            isSuperseded: isSuperseded(row),
            ...(row.outcome === undefined ? {} : {outcome: row.outcome}),
          },
        ],
  );
}

/** A run's record knows the files that it was about. */
export function placeOfRun({cluster, mode, files}: NonNullable<RunRow['header']>): ClusterPlace {
  return {name: cluster, mode, files: files.filter((file) => file.startsWith('/'))};
}
