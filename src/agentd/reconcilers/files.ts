// The user's own files on the host. One that is wanted no more is removed, unless it was there before us.
import type {Wanted} from '../../hostcluster/protocol.ts';
import {absentStep, fileStep} from '../file-step.ts';
import type {AgentStep, Reconciler} from '../reconciler.ts';

/** Path to whether it was there before we first wrote it. */
type Managed = Readonly<Record<string, boolean>>;

export const files: Reconciler = {
  name: 'files',
  needs: [],
  inputs: ['files'],
  outputs: ['wanted.files'],
  area: 'files',
  watches: (wanted) => wanted.files.map((file) => file.path),
  steps: ({wanted, records}) => {
    const managed = records.get<Managed>('files') ?? {};
    const paths = new Set(wanted.files.map((file) => file.path));
    const gone = Object.entries(managed).filter(([path, wasThere]) => !paths.has(path) && !wasThere);
    return [rememberStep(wanted), ...wanted.files.map((file) => fileStep(file)), ...gone.map(([path]) => absentStep(path)), forgetStep(paths)];
  },
};

/** Before any file is written: which of them are not ours to remove later. */
function rememberStep(wanted: Wanted): AgentStep {
  return {
    id: 'files:remember',
    title: 'Note which files were there before',
    effect: 'none',
    check: async ({scope}) => (wanted.files.every((file) => file.path in (scope.records.get<Managed>('files') ?? {})) ? 'satisfied' : 'needed'),
    apply: async ({scope}) => {
      const managed: Record<string, boolean> = {...scope.records.get<Managed>('files')};
      for (const {path} of wanted.files) managed[path] ??= await scope.host.exists(path);
      await scope.records.set('files', managed);
    },
  };
}

function forgetStep(paths: ReadonlySet<string>): AgentStep {
  const isStale = (managed: Managed) => Object.keys(managed).some((path) => !paths.has(path));
  return {
    id: 'files:forget',
    title: 'Forget files that are wanted no more',
    effect: 'none',
    check: async ({scope}) => (isStale(scope.records.get<Managed>('files') ?? {}) ? 'needed' : 'satisfied'),
    apply: async ({scope}) =>
      scope.records.set('files', Object.fromEntries(Object.entries(scope.records.get<Managed>('files') ?? {}).filter(([path]) => paths.has(path)))),
  };
}
