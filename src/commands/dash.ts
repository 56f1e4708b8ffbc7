import {Flags} from '@oclif/core';
import {setFlagsFromString} from 'node:v8';
import {sleep} from '../kernel/cancel.ts';
import {stateFolder} from '../kernel/folders.ts';
import {followFleet, type FleetState, type FleetStore} from '../fleet/fleet-store.ts';
import {healthChanges} from '../fleet/health-changes.ts';
import {listKnownClusters} from '../fleet/known-clusters.ts';
import {renderFleetSummary, renderHealthChange} from '../output/fleet-changes.ts';
import type {runDashboard as RunDashboard} from '../ui/app.tsx';
import {BaseCommand} from './base-command.ts';
import {askOver, type Asker} from './base-dash-asking.ts';
import {createDashDesk} from './base-dash-desk.ts';
import {paletteCommands} from './base-dash-palette.ts';
import {createDashServices} from './base-dash-services.ts';
import {dashSources, readWatching} from './base-dash-sources.ts';
import {managementFlags} from './base-flags.ts';
import type {ResultOf} from './base-results.ts';
import type {dashResult} from './base-watched-results.ts';

/** How long a program waits until every source has told something, in ms. */
const patience = 15_000;
/** How long the first screen waits for rows, in ms: on a way that isn't slow they are there by then, and one screen is drawn instead of two. */
const firstPatience = 50;
/** How often hosts are looked at, in ms. */
const interval = 5000;

export default class Dash extends BaseCommand<ResultOf<typeof dashResult>> {
  static override summary = 'Watch all clusters on a live dashboard, and act on them.';
  static override description =
    'Shows the clusters that are known on this computer, and everything in the management clusters that are named or known. Without a terminal, with TERM=dumb or with --screen-reader it prints a line for each change; with -o json what there is now.';
  static override examples = [
    '<%= config.bin %> dash',
    '<%= config.bin %> dash --context management --context edge',
    '<%= config.bin %> dash --theme colour-blind',
    '<%= config.bin %> dash --screen-reader',
  ];
  static override flags = {
    kubeconfig: managementFlags.kubeconfig,
    context: Flags.string({
      summary: 'Context of a management cluster; repeatable.',
      env: 'TRIREME_CONTEXT',
      helpValue: 'NAME',
      helpGroup: 'MANAGEMENT CLUSTER',
      multiple: true,
      multipleNonGreedy: true,
    }),
    namespace: Flags.string({
      char: 'n',
      summary: 'Only this namespace; default: all.',
      env: 'TRIREME_NAMESPACE',
      helpValue: 'NAME',
      helpGroup: 'MANAGEMENT CLUSTER',
    }),
    theme: Flags.string({summary: 'Colours; default: the setting.', env: 'TRIREME_THEME', options: ['auto', 'dark', 'light', 'colour-blind']}),
    'screen-reader': Flags.boolean({summary: 'Print a line for each change instead of drawing screens.', env: 'TRIREME_SCREEN_READER'}),
  };
  static override resultSchema = async () => (await import('./base-watched-results.ts')).dashResult;

  async run() {
    const {flags} = await this.parse(Dash);
    const {kubeconfig, namespace, context: contexts = []} = flags;
    const screen = this.out.terminal.canDraw && !this.out.isForPrograms && !flags['screen-reader'] && !this.settings['screen-reader'];
    const known = await listKnownClusters(stateFolder());
    const stopping = new AbortController();
    const signal = AbortSignal.any([this.signal, stopping.signal]);
    const asker = askOver();
    const askSecret = screen ? asker.askSecret : this.askSecret;
    const warn = screen ? asker.warn : (message: string) => this.out.warn({code: 'facts.incomplete', message});
    const scope = {signal, redactor: this.redactor, concurrency: this.settings.concurrency, warn, ...(askSecret === undefined ? {} : {askSecret})};
    const asked = {contexts, useDefault: true, ...(kubeconfig === undefined ? {} : {kubeconfig}), ...(namespace === undefined ? {} : {namespace})};
    const {sources, expected, places} = dashSources(known, asked, {scope, signal, interval, ...(screen ? {shown: asker.connected} : {})});
    if (places.size > 0) await readWatching();
    const fleet = followFleet(sources, expected);
    try {
      if (screen) {
        const told = firstWord(fleet);
        // screens are read while the answer to the first request is on its way
        const app = await import('../ui/app.tsx');
        const services = createDashServices({
          fleet,
          places,
          scope,
          settings: this.settings,
          commands: paletteCommands(this.config, asker),
          desk: createDashDesk(this.config.root, asker.connected),
        });
        await Promise.race([told, sleep(firstPatience)]);
        await this.#draw(app, services, {flags, asker});
      } else if (this.out.isForPrograms) await this.#untilTold(fleet);
      else await this.#print(fleet);
    } finally {
      stopping.abort();
    }
    return {clusters: clustersOf(fleet.get())};
  }

  async #draw(
    {runDashboard}: {readonly runDashboard: typeof RunDashboard},
    services: ReturnType<typeof createDashServices>,
    {flags, asker}: {readonly flags: {readonly theme?: string}; readonly asker: Asker},
  ): Promise<void> {
    await runDashboard({
      services,
      signal: this.signal,
      theme: (flags.theme as typeof this.settings.theme | undefined) ?? this.settings.theme,
      color: this.out.terminal.color,
      isAscii: this.out.terminal.isAscii,
      redact: this.out.redact,
      onReady: (control) => {
        asker.connect(control);
        // left open all day it shall stay small: V8 would let the heap grow to a multiple of what is in it before it collects
        setFlagsFromString('--heap-growing-percent=30');
      },
    });
    this.signal.throwIfAborted();
  }

  /** For a program: what there is, once everybody has said something. */
  async #untilTold(fleet: FleetStore): Promise<void> {
    const isTold = () => Object.values(fleet.get().sources).every((source) => source.phase !== 'looking');
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patience);
      const look = () => {
        if (!isTold() && !this.signal.aborted) return;
        clearTimeout(timer);
        stop();
        resolve();
      };
      const stop = fleet.subscribe(look);
      this.signal.addEventListener('abort', look, {once: true});
      look();
    });
    this.signal.throwIfAborted();
  }

  /** A line for each change, until Ctrl-C. */
  async #print(fleet: FleetStore): Promise<void> {
    let before = fleet.get();
    let isSummed = false;
    const look = () => {
      const after = fleet.get();
      const isTold = Object.values(after.sources).every((source) => source.phase !== 'looking');
      if (isSummed) for (const change of healthChanges(before, after)) this.out.print(renderHealthChange(change, {now: Date.now(), style: this.out.style}));
      else if (isTold) {
        this.out.print(renderFleetSummary(after, this.out.style));
        isSummed = true;
      }
      before = after;
    };
    const stop = fleet.subscribe(look);
    look();
    await Promise.race([fleet.done, new Promise<void>((resolve) => this.signal.addEventListener('abort', () => resolve(), {once: true}))]);
    stop();
    this.signal.throwIfAborted();
  }
}

/** Resolves when any source has said something. */
function firstWord(fleet: FleetStore): Promise<void> {
  return new Promise((resolve) => {
    const stop = fleet.subscribe(() => {
      stop();
      resolve();
    });
  });
}

function clustersOf({rows}: FleetState) {
  return rows.map(({view: {name, mode, simulated, health, namespace, context}}) => ({
    name,
    mode,
    simulated,
    health,
    ...(namespace === undefined ? {} : {namespace}),
    ...(context === undefined ? {} : {context}),
  }));
}
