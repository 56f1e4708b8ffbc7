// Doing something with what is chosen: asks for what the action needs, shows the plan with its cost, asks, begins the run and goes to its screen.
import {controlPlaneCount, type Action, type ActionInput, type ActionRequest, type Answer, type Answers, type Subject} from '../actions/action.ts';
import {complaintAbout, isDestructive, nameOf, type Offer} from '../actions/offers.ts';
import type {Desk} from '../actions/desk.ts';
import type {Preview} from '../actions/preview.ts';
import type {ClusterView} from '../modes/mode.ts';
import {count} from '../kernel/amounts.ts';
import {clean} from './cells.ts';
import type {KeyHandlers} from './key-router.ts';
import {actionKeyName} from './keys.ts';
import {planLines} from './plan-lines.ts';
import {problemText} from './run-lines.ts';
import type {Ui} from './ui-context.ts';

/** Handlers of the keys of every action about what is chosen now, and of the menu of all of them. */
export function actionHandlers(ui: Ui, chosen: () => readonly Subject[], abouts: readonly Subject['about'][]): KeyHandlers {
  const {desk} = ui.services;
  ui.chosen.current = chosen;
  const all = [...new Set(desk.actions.filter((action) => abouts.includes(action.about)).map((action) => action.key))];
  const press = (key: string) => () => {
    const subjects = chosen();
    whenKnown(desk, () => begun(key, subjects));
  };
  const begun = (key: string, subjects: readonly Subject[]) => {
    const offer = desk.offers(subjects).find((one) => one.action.key === key);
    if (offer === undefined) ui.say(subjects.length === 0 ? 'Nothing is chosen.' : `${clean(nameOf(subjects[0] as Subject))} has no such action.`, 'warning');
    else void act(ui, offer, subjects);
  };
  return {
    ...Object.fromEntries(all.map((key) => [actionKeyName(key), press(key)])),
    'choose-action': () => whenKnown(desk, () => void chooseAction(ui, chosen())),
  };
}

/** At once where it's known what can be done; else as soon as it is: a key that came early isn't lost. */
function whenKnown({pending}: Desk, work: () => void): void {
  if (pending === undefined) work();
  else void pending.then(work);
}

/** The menu: every action with its key, and why it can't be done where it can't. */
async function chooseAction(ui: Ui, subjects: readonly Subject[]): Promise<void> {
  const [first] = subjects;
  if (first === undefined) return ui.say('Nothing is chosen.', 'warning');
  const offers = ui.services.desk.offers(subjects);
  const able = offers.filter((offer) => offer.reason === undefined);
  const ordered = [...able, ...offers.filter((offer) => offer.reason !== undefined)];
  const width = Math.max(...ordered.map(({action}) => action.title.length));
  const answer = await ui.navigator.ask({
    kind: 'choose',
    title: `What shall be done with ${namesOf(subjects)}?`,
    choices: ordered.map(({action, reason}) => ({
      id: action.id,
      label: `${action.key.padEnd(2)} ${action.title.padEnd(width)}  ${reason === undefined ? `trireme ${action.command.join(' ')}` : `not now: ${reason}`}`,
    })),
  });
  const offer = ordered.find((one) => one.action.id === answer);
  if (offer !== undefined) await act(ui, offer, subjects);
}

export async function act(ui: Ui, {action, reason}: Offer, subjects: readonly Subject[]): Promise<void> {
  if (reason !== undefined) return ui.say(`${action.title}: ${reason}.`, 'warning');
  const [first] = subjects;
  if (first === undefined) return;
  if (action.kind === 'screen') return openScreen(ui, action, first);
  const answers = await ask(ui, action, subjects);
  if (answers === undefined) return ui.say('Nothing was changed.');
  const requests = subjects.map((subject): ActionRequest => ({action, subject, answers}));
  if (action.kind === 'hand-over') return handOver(ui, requests[0] as ActionRequest);
  const agreed = action.kind === 'answer' ? await agree(ui, requests) : await agreeToPlan(ui, requests);
  if (agreed.length > 0) await begin(ui, agreed);
}

function openScreen({navigator, say}: Ui, action: Action, subject: Subject): void {
  if (subject.about === 'run') navigator.push({kind: 'run', run: subject.run, isReplay: true});
  else if (subject.about === 'machine') say(`${action.title} is a screen of its own.`);
  else navigator.push({kind: 'history', ...(subject.about === 'cluster' ? {cluster: subject.cluster.name} : {})});
}

async function handOver(ui: Ui, request: ActionRequest): Promise<void> {
  try {
    const code = await ui.lend(() => ui.services.desk.handOver(request));
    ui.say(`${request.action.title} ended${code === 0 ? '' : ` with ${code}`}.`, code === 0 ? 'muted' : 'warning');
  } catch (error) {
    ui.say(error instanceof Error ? error.message : String(error), 'bad');
  }
}

/** Asks for what the action needs, but the typed name: that is the answer to the question itself. Undefined: the person left. */
async function ask(ui: Ui, action: Action, subjects: readonly Subject[]): Promise<Answers | undefined> {
  const answers: Record<string, Answers[string]> = {};
  const title = (input: ActionInput) => `${action.title} ${namesOf(subjects)}: ${input.title}?`;
  for (const input of action.inputs) {
    if (input.kind === 'counts') {
      const counts = await askCounts(ui, title(input), subjects[0] as Subject);
      if (counts === undefined) return undefined;
      answers[input.id] = counts;
    } else if (input.kind === 'text' || input.kind === 'words') {
      const check = (text: string) => complaintAbout(input, input.kind === 'words' ? wordsOf(text) : text.trim(), subjects[0] as Subject);
      const text = await ui.navigator.ask({kind: 'text', title: title(input), initial: input.kind === 'text' ? (input.preset ?? '') : '', check});
      if (typeof text !== 'string') return undefined;
      answers[input.id] = input.kind === 'words' ? wordsOf(text) : text.trim();
    }
  }
  const choices = action.inputs.filter((input) => input.kind === 'choice').filter((input) => input.isUsual !== true);
  if (choices.length > 0) {
    const chosen = await ui.navigator.ask({
      kind: 'choose-many',
      title: `${action.title} ${namesOf(subjects)}: how? Space chooses, enter goes on.`,
      choices: choices.map((input) => ({id: input.id, label: input.title, note: `--${input.flag}`})),
      chosen: choices.filter((input) => input.preset).map((input) => input.id),
    });
    if (!Array.isArray(chosen)) return undefined;
    for (const input of choices) answers[input.id] = chosen.includes(input.id);
  }
  return answers;
}

/** Words of a command line; quotes keep spaces. */
export function wordsOf(text: string): readonly string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) => double ?? single ?? plain ?? '');
}

interface Counted {
  readonly name: string;
  readonly wanted: number;
  readonly note: string;
}

function countedIn(view: ClusterView | undefined): readonly Counted[] {
  const note = (ready: number, wanted: number) => `${ready} of ${wanted} ready`;
  const pools = (view?.pools ?? []).map((pool) => ({
    name: pool.topologyName ?? pool.name,
    wanted: pool.replicas.wanted,
    note: `${note(pool.replicas.ready, pool.replicas.wanted)}${pool.autoscaled === undefined ? '' : `, an autoscaler keeps it between ${pool.autoscaled.min} and ${pool.autoscaled.max}`}`,
  }));
  const {wanted = 0, ready = 0} = view?.controlPlanes ?? {};
  return [{name: controlPlaneCount.replace(' ', '-'), wanted, note: note(ready, wanted)}, ...pools];
}

/** How long pools that weren't seen yet are waited for, in ms. */
const poolsPatience = 10_000;

/** The view with its pools: the first look at a fleet only has the clusters themselves. What is known is good enough when they don't come. */
function withPools({services: {fleet}, say}: Ui, view: ClusterView | undefined): Promise<ClusterView | undefined> {
  if (view === undefined || view.mode !== 'controller' || view.pools !== undefined) return Promise.resolve(view);
  const isSame = (other: ClusterView) => other.name === view.name && other.namespace === view.namespace && other.context === view.context;
  return new Promise((resolve) => {
    const look = () => {
      const found = fleet.get().rows.find((row) => isSame(row.view))?.view;
      if (found !== undefined && found.pools === undefined) return;
      end(found ?? view);
    };
    const end = (found: ClusterView) => {
      clearTimeout(timer);
      forget();
      resolve(found);
    };
    const forget = fleet.subscribe(look);
    const timer = setTimeout(() => end(view), poolsPatience);
    say('Looking at its pools...');
    look();
  });
}

/** All numbers in one line, as they are now; what is changed in it is what is asked for. */
async function askCounts(ui: Ui, title: string, subject: Subject): Promise<Readonly<Record<string, number>> | undefined> {
  const counted = countedIn(subject.about === 'cluster' ? await withPools(ui, subject.view) : undefined);
  const initial = counted.map(({name, wanted}) => `${name}=${wanted}`).join(' ');
  const text = await ui.navigator.ask({
    kind: 'text',
    title,
    body: counted.map(({name, note}) => clean(`${name}: ${note}`)),
    initial,
    check: (typed) => {
      const read = readCounts(typed, counted);
      return typeof read === 'string' ? read : undefined;
    },
  });
  if (typeof text !== 'string') return undefined;
  const read = readCounts(text, counted);
  return typeof read === 'string' ? undefined : read;
}

/** The numbers that differ from what is, or what is wrong with the line. */
export function readCounts(text: string, counted: readonly Pick<Counted, 'name' | 'wanted'>[]): Readonly<Record<string, number>> | string {
  const changed: Record<string, number> = {};
  for (const word of text.trim().split(/[\s,]+/)) {
    const [, name = '', number = ''] = /^([^=]+)=(\d{1,6})$/.exec(word) ?? [];
    if (name === '') return `${clean(word) === '' ? 'An empty line' : clean(word)} isn't POOL=N.`;
    const known = counted.find((one) => one.name === name);
    if (known === undefined) return `There's no ${clean(name)}: ${counted.map((one) => one.name).join(', ')}.`;
    if (Number(number) !== known.wanted) changed[name === counted[0]?.name ? controlPlaneCount : name] = Number(number);
  }
  return Object.keys(changed).length === 0 ? 'Nothing is changed yet.' : changed;
}

/** The command's own plan, then the question; with several, one question for all that can be done. */
async function agreeToPlan(ui: Ui, requests: readonly ActionRequest[]): Promise<readonly ActionRequest[]> {
  const {desk} = ui.services;
  const [first] = requests;
  if (first === undefined) return [];
  const looking = new AbortController();
  ui.say(`Looking what ${first.action.title.toLowerCase()} would change...`);
  const previews = await desk.preview(requests, looking.signal);
  const able = previews.filter((preview) => preview.problem === undefined);
  const due = able.filter((preview) => preview.plan?.changes !== false || preview.file !== undefined);
  const subjects = due.map((preview) => preview.request.subject);
  const body = planLines(previews, {theme: ui.theme, width: Math.max(20, ui.size.columns - 4)});
  if (able.length === 0) {
    await ui.navigator.ask({kind: 'confirm', title: `${first.action.title} ${namesOf(requests.map((one) => one.subject))} is refused.`, body, yes: 'close'});
    return [];
  }
  if (due.length === 0) {
    ui.say(`${namesOf(able.map((preview) => preview.request.subject))}: unchanged, there is nothing to do.`, 'good');
    return [];
  }
  ui.say('');
  const title = `${first.action.title} ${namesOf(subjects)}?${able.length < previews.length ? ` ${previews.length - able.length} refused, left out.` : ''}`;
  return (await isAgreed(ui, first.action, due, title, body)) ? due.map(withNames) : [];
}

async function isAgreed(ui: Ui, action: Action, due: readonly Preview[], title: string, body: readonly string[]): Promise<boolean> {
  const names = due.flatMap(typedNames);
  const answer =
    names.length > 0
      ? await ui.navigator.ask({kind: 'type-name', title: `${title} Type ${names.join(' ')}.`, body, name: names.join(' ')})
      : await ui.navigator.ask({kind: 'confirm', title, body, yes: action.title.toLowerCase()});
  if (answer !== true) ui.say('Nothing was changed.');
  return answer === true;
}

/** What has to be typed: the name of what is taken away for good, or those of hosts that the plan takes out. */
function typedNames(preview: Preview): readonly string[] {
  const {action, subject} = preview.request;
  if (isDestructive(action, subject)) return [nameOf(subject)];
  return action.inputs.some((input) => input.kind === 'names') ? leavingHosts(preview) : [];
}

const leavingHosts = ({plan}: Preview) => (plan?.hosts ?? []).filter((host) => host.state === 'removed').map((host) => host.host);

/** The typed names are what the command is told. */
function withNames(preview: Preview): ActionRequest {
  const {request} = preview;
  const typed = request.action.inputs.flatMap((input): readonly (readonly [string, Answer])[] => {
    if (input.kind === 'name') return isDestructive(request.action, request.subject) ? [[input.id, nameOf(request.subject)]] : [];
    return input.kind === 'names' ? [[input.id, leavingHosts(preview)]] : [];
  });
  return {...request, answers: {...request.answers, ...Object.fromEntries(typed)}};
}

/** Of what has no plan: the command line is all there is to say. */
async function agree(ui: Ui, requests: readonly ActionRequest[]): Promise<readonly ActionRequest[]> {
  const [first] = requests;
  const body = requests.map((request) => `$ ${clean(ui.services.desk.commandLine(request))}`);
  const answer = await ui.navigator.ask({kind: 'confirm', title: `${first?.action.title} of ${namesOf(requests.map((one) => one.subject))}?`, body});
  if (answer === true) return requests;
  ui.say('Nothing was changed.');
  return [];
}

async function begin(ui: Ui, requests: readonly ActionRequest[]): Promise<void> {
  ui.say('Beginning...');
  const started = await ui.services.desk.start(requests);
  const runs = started.filter((one) => one.run !== undefined);
  const problems = started.flatMap(({request, problem}) => (problem === undefined ? [] : [{request, problem}]));
  const [only] = started;
  if (problems.length > 0) {
    const options = {theme: ui.theme, width: Math.max(20, ui.size.columns - 4)};
    const body = problems.flatMap(({request, problem}) => problemText(problem, [nameOf(request.subject)], options));
    await ui.navigator.ask({kind: 'confirm', title: `${count(problems.length, 'action')} of ${started.length} didn't begin.`, body, yes: 'close'});
  }
  if (runs.length === 1 && runs[0]?.run !== undefined) {
    ui.say('The run goes on when this screen is left.');
    ui.navigator.push({kind: 'run', run: runs[0].run});
  } else if (runs.length > 1) {
    ui.say(`${runs.length} runs have begun.`, 'good');
    ui.navigator.push({kind: 'history'});
  } else if (only?.said !== undefined) ui.say(`${nameOf(only.request.subject)}: ${only.said}`, 'good');
}

/** What several things are called together. */
export function namesOf(subjects: readonly Subject[]): string {
  const [first, second, ...others] = subjects.map((subject) => clean(nameOf(subject)));
  if (second === undefined) return first ?? 'nothing';
  return others.length === 0 ? `${first} and ${second}` : `${first}, ${second} and ${others.length} more`;
}
