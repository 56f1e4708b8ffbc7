// One machine as lines. Pure.
import type {MachineView, PartView} from '../modes/mode.ts';
import {wrapText} from '../output/wrap.ts';
import {ageOf, clean, fit} from './cells.ts';
import type {Theme, Token} from './theme.ts';
import {conditionText, conditionToken} from './tree-rows.ts';

export interface MachineLinesOptions {
  readonly theme: Theme;
  readonly width: number;
  readonly now: number;
  readonly mode: string;
}

export function machineLines(machine: MachineView, options: MachineLinesOptions): readonly string[] {
  const {theme, width, now} = options;
  const {paint, symbols} = theme;
  const token = stateToken(machine);
  const mark = token === 'good' ? symbols.good : token === 'bad' ? symbols.bad : symbols.working;
  const wrap = (text: string, look: Token, indent = '  ') =>
    wrapText(clean(text), width - 4).map((line, index) => paint(look, `${index === 0 ? indent : `${indent}  `}${line}`));
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['role', machine.role],
    ['pool', machine.pool],
    ['version', machine.version],
    ['up to date', machine.upToDate === undefined ? undefined : machine.upToDate ? 'yes' : 'no'],
    ['phase', machine.phase],
    ['node', machine.node],
    ['address', machine.address],
    ['provider ID', machine.providerId],
    ['failure domain', machine.failureDomain],
    ['infrastructure', partText(machine.infrastructure)],
    ['bootstrap', partText(machine.bootstrap)],
    [
      'agent',
      machine.agent === undefined
        ? undefined
        : `${machine.agent.version}, ${machine.agent.answering ? (machine.agent.converged ? 'answers, everything is as wanted' : 'answers, is at work') : "doesn't answer"}`,
    ],
    ['drift', machine.drift === 0 ? undefined : `${machine.drift} differ from what is wanted`],
    ['age', machine.created === undefined ? undefined : ageOf(machine.created, now)],
    ['being deleted', machine.deleting === undefined ? undefined : `for ${ageOf(machine.deleting, now)}`],
  ];
  const known = facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined && fact[1] !== '');
  const conditions = machine.conditions ?? [];
  return [
    paint(token, `${mark} ${stateText(machine)}`),
    ...machine.reasons.flatMap((reason) => wrap(`${symbols.warning} ${reason}`, token === 'bad' ? 'bad' : 'warning')),
    ...known.map(([name, value]) => `  ${paint('muted', name.padEnd(15))} ${fit(clean(value), width - 18, {ellipsis: symbols.ellipsis}).trimEnd()}`),
    ...(conditions.length === 0 ? [] : ['', paint('title', options.mode === 'controller' ? 'Conditions' : 'What its agent keeps')]),
    ...conditions.flatMap((one) => wrap(conditionText(one, {theme, now}), conditionToken(one))),
  ];
}

function stateToken({state, standing, deleting}: MachineView): Token {
  if (standing === 'bad' || state === 'unreachable') return 'bad';
  if (deleting !== undefined || state === 'not-joined') return 'working';
  return state === 'ready' ? 'good' : 'bad';
}

function stateText({state, phase, deleting, paused}: MachineView): string {
  const word = deleting !== undefined ? 'being deleted' : state === 'not-joined' && phase !== undefined ? phase.toLowerCase() : state;
  return clean(paused === true ? `${word}, paused` : word);
}

function partText(part: PartView | undefined): string | undefined {
  if (part === undefined) return undefined;
  return `${part.kind}/${part.name}${part.missing ? ' MISSING' : part.standing === 'good' ? '' : ` (${[part.standing, ...part.reasons].join(': ')})`}`;
}
