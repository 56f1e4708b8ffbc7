// The dashboard's desk: actions are this very program's commands, started in this folder and with this environment.
import {join} from 'node:path';
import type {ClusterPlace} from '../actions/action.ts';
import {createDesk, type Desk} from '../actions/desk.ts';
import type {ModeCapabilities} from '../actions/offers.ts';
import type {FleetRow} from '../fleet/fleet-store.ts';
import {stateFolder} from '../kernel/folders.ts';
import type {ManagementPlace} from './base-dash-sources.ts';

/** `root`: the package's folder, bin/run.js lies below it. What the modes can do is read when the first screen is `shown`. */
export function createDashDesk(root: string, shown: Promise<unknown>): Desk {
  const modes: Record<string, ModeCapabilities[string]> = {};
  // the first frame doesn't wait for it; an action does
  const loading = shown.then(() => import('../modes/registry.ts')).then(async ({readCapabilities}) => Object.assign(modes, await readCapabilities()));
  const program = {execPath: process.execPath, script: join(root, 'bin/run.js'), cwd: process.cwd(), env: process.env, folder: stateFolder()};
  return createDesk({program, modes, loading});
}

/** What the commands have to be told of a row's cluster. */
export function placeOfRow({source, view, known}: FleetRow, places: ReadonlyMap<string, ManagementPlace>): ClusterPlace {
  const {kubeconfig, context} = places.get(source) ?? {};
  const namespace = view.namespace ?? known?.namespace;
  const named = context ?? view.context;
  return {
    name: view.name,
    mode: view.mode,
    files: known?.files ?? [],
    ...(kubeconfig === undefined ? {} : {kubeconfig}),
    ...(named === undefined ? {} : {context: named}),
    ...(namespace === undefined ? {} : {namespace}),
  };
}
