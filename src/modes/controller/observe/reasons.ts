// Why a cluster doesn't stand well, in as few lines as tell it all. Pure.
import type {ObjectNode, Standing} from '../../mode.ts';
import {compareStanding, conditionText, tellingConditions} from './conditions.ts';

/** Objects that say the same are told in one line, with this many of their names. */
const namesShown = 3;

interface Told {
  readonly standing: Standing;
  readonly object: string;
  readonly text: string;
}

/** Worst first; equal ones of several objects in one line. */
export function gatherReasons(tree: ObjectNode): readonly string[] {
  const told: Told[] = [];
  collect(tree, told);
  const lines = new Map<string, {readonly standing: Standing; readonly text: string; readonly objects: string[]}>();
  for (const {standing, object, text} of told) {
    const line = lines.get(`${standing} ${text}`);
    if (line === undefined) lines.set(`${standing} ${text}`, {standing, text, objects: [object]});
    else line.objects.push(object);
  }
  return [...lines.values()].toSorted((a, b) => compareStanding(a.standing, b.standing)).map(({text, objects}) => `${namesOf(objects)}: ${text}`);
}

function collect(node: ObjectNode, told: Told[]): void {
  for (const child of node.children) collect(child, told);
  if (node.standing === 'good' || node.role === 'node') return;
  const object = `${node.kind}/${node.name}`;
  if (node.missing === true) return void told.push({standing: 'bad', object, text: `is missing, ${node.remarks.join(', ')}`});
  const shown = tellingConditions(node.conditions).filter((one) => one.echo !== true);
  for (const one of shown) told.push({standing: one.standing ?? 'bad', object, text: conditionText(one)});
  if (node.conditions.every((one) => one.ready) && node.deleting === undefined) {
    for (const remark of node.remarks) told.push({standing: node.standing, object, text: remark});
  }
}

function namesOf(objects: readonly string[]): string {
  const shown = objects.slice(0, namesShown).join(', ');
  return objects.length <= namesShown ? shown : `${shown} and ${objects.length - namesShown} more`;
}
