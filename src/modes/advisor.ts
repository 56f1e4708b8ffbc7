// From answers to a mode, with reasons that cite the answers and what speaks against it. Pure.
import {availability, modeNames, type ModeName} from './advisor/comparison.ts';
import {contradictions, questions, rules, topics, type AdviceAnswers, type AdviceRule, type Topic} from './advisor/questions.ts';

export interface Argument {
  readonly topic: Topic;
  readonly answer: string;
  /** The answer in words, and what follows from it. */
  readonly text: string;
}

export interface SettledContradiction {
  readonly topics: readonly Topic[];
  readonly giveUp: Topic;
  /** The answer that is given up. */
  readonly answer: string;
  readonly text: string;
}

export interface Limit {
  readonly feature: 'appliance' | 'trustedBoot' | 'centralManagement';
  readonly missing: string;
  readonly nearest: string;
}

export interface Verdict {
  readonly mode: ModeName;
  readonly for: readonly Argument[];
  readonly against: readonly Argument[];
  /** It can't do what was answered. */
  readonly excluded: boolean;
}

export interface Advice {
  /** Topics whose answer could still change the mode; empty when it is settled. */
  readonly missing: readonly Topic[];
  /** What fits the answers best; undefined while answers are missing. */
  readonly recommended: ModeName | undefined;
  /** The same, or the nearest that this version can do. */
  readonly usable: ModeName | undefined;
  /** The recommended mode first. */
  readonly verdicts: readonly Verdict[];
  readonly contradictions: readonly SettledContradiction[];
  /** What this version can't do of what was answered. */
  readonly limits: readonly Limit[];
}

/** Weighs the answers. An answer that isn't known counts as none. */
export function advise(given: AdviceAnswers): Advice {
  const answers = knownAnswers(given);
  const missing = openTopics(answers);
  const {kept, settled} = settle(answers);
  const verdicts = weigh(kept, answers);
  const recommended = missing.length === 0 ? verdicts[0]?.mode : undefined;
  return {
    missing,
    recommended,
    usable: recommended === undefined || availability[recommended].built ? recommended : 'agent',
    verdicts,
    contradictions: settled,
    limits: limitsOf(answers, recommended),
  };
}

/** The topic to ask next: the first whose answer can still change the mode. */
export function nextTopic(given: AdviceAnswers): Topic | undefined {
  return openTopics(knownAnswers(given))[0];
}

/** The answer's own words. */
export function answerLabel(topic: Topic, answer: string): string {
  return questions[topic].options.find((option) => option.value === answer)?.label ?? answer;
}

function knownAnswers(given: AdviceAnswers): AdviceAnswers {
  return Object.fromEntries(Object.entries(given).filter(([topic, answer]) => questions[topic as Topic]?.options.some((option) => option.value === answer)));
}

/** Of the topics without an answer those on which the best mode hangs, whatever the others would be. */
function openTopics(answers: AdviceAnswers): readonly Topic[] {
  const open = topics.filter((topic) => answers[topic] === undefined);
  const found = new Map<string, ModeName | undefined>();
  const all = completions(answers, open);
  for (const one of all) found.set(keyOf(one), bestOf(one));
  if (new Set(found.values()).size < 2) return [];
  return open.filter((topic) =>
    all.some((one) => questions[topic].options.some((option) => found.get(keyOf({...one, [topic]: option.value})) !== found.get(keyOf(one)))),
  );
}

function completions(answers: AdviceAnswers, open: readonly Topic[]): readonly AdviceAnswers[] {
  return open.reduce<readonly AdviceAnswers[]>(
    (all, topic) => all.flatMap((one) => questions[topic].options.map((option) => ({...one, [topic]: option.value}))),
    [answers],
  );
}

const keyOf = (answers: AdviceAnswers) => topics.map((topic) => answers[topic]).join(' ');

const bestOf = (answers: AdviceAnswers) => weigh(settle(answers).kept, answers)[0]?.mode;

/** Gives up what contradicts other answers, one after the other. */
function settle(answers: AdviceAnswers): {readonly kept: AdviceAnswers; readonly settled: readonly SettledContradiction[]} {
  let kept = answers;
  const settled: SettledContradiction[] = [];
  for (const {answers: clash, giveUp, text} of contradictions) {
    if (!Object.entries(clash).every(([topic, answer]) => kept[topic as Topic] === answer)) continue;
    settled.push({topics: Object.keys(clash) as Topic[], giveUp, answer: kept[giveUp] as string, text});
    kept = Object.fromEntries(Object.entries(kept).filter(([topic]) => topic !== giveUp));
  }
  return {kept, settled};
}

/** All modes, best first; of equals the one that this version can do, then agent mode, which asks for least. */
function weigh(kept: AdviceAnswers, answers: AdviceAnswers): readonly Verdict[] {
  const preference: readonly ModeName[] = ['agent', 'controller', 'appliance'];
  const judged = modeNames.map((mode) => {
    const applying = rules.filter((rule) => rule.mode === mode && kept[rule.topic] === rule.answer);
    const given = rules.filter((rule) => rule.mode === mode && answers[rule.topic] === rule.answer);
    const points = applying.reduce((sum, rule) => sum + (rule.weight === 'never' ? 0 : rule.weight), 0);
    return {
      points,
      verdict: {
        mode,
        for: applying.filter(isFor).map(argumentOf),
        against: given.filter((rule) => !isFor(rule)).map(argumentOf),
        excluded: applying.some((rule) => rule.weight === 'never'),
      },
    };
  });
  return judged
    .toSorted(
      (a, b) =>
        Number(a.verdict.excluded) - Number(b.verdict.excluded) ||
        b.points - a.points ||
        preference.indexOf(a.verdict.mode) - preference.indexOf(b.verdict.mode),
    )
    .map(({verdict}) => verdict);
}

const isFor = (rule: AdviceRule) => rule.weight !== 'never' && rule.weight > 0;

function argumentOf({topic, answer, text}: AdviceRule): Argument {
  return {topic, answer, text: `${questions[topic].message} ${answerLabel(topic, answer)}: ${text}.`};
}

function limitsOf(answers: AdviceAnswers, recommended: ModeName | undefined): readonly Limit[] {
  const wanted: readonly Limit['feature'][] = [
    ...(recommended === 'appliance' ? (['appliance'] as const) : []),
    ...(answers.boot === 'measured' ? (['trustedBoot'] as const) : []),
    ...(answers.management === 'central' ? (['centralManagement'] as const) : []),
  ];
  return wanted
    .filter((feature) => !availability[feature].built)
    .map((feature) => ({feature, missing: availability[feature].missing ?? '', nearest: availability[feature].nearest ?? ''}));
}
