// From answers to a mode: a table, walked.
import {describe, expect, it} from 'vitest';
import {advise, nextTopic} from '../../../../src/modes/advisor.ts';
import {comparison, modeNames, provisioning} from '../../../../src/modes/advisor/comparison.ts';
import {contradictions, questions, rules, topics, type AdviceAnswers, type Topic} from '../../../../src/modes/advisor/questions.ts';
import {renderAdvice} from '../../../../src/output/advice-text.ts';
import {renderComparison, renderProvisioning} from '../../../../src/output/comparison-text.ts';
import {createStyle} from '../../../../src/output/style.ts';

interface Row {
  readonly answers: AdviceAnswers;
  readonly mode: string | undefined;
  readonly usable?: string;
  readonly gives?: readonly Topic[];
  readonly missing?: readonly Topic[];
  readonly limits?: readonly string[];
}

const table: readonly Row[] = [
  {answers: {machines: 'existing'}, mode: 'agent'},
  {answers: {machines: 'existing', credentials: 'yes', place: 'cloud'}, mode: 'agent'},
  {answers: {machines: 'existing', network: 'offline', place: 'edge'}, mode: 'agent'},
  {answers: {machines: 'existing', system: 'own', boot: 'measured'}, mode: 'agent', gives: ['boot'], limits: ['trustedBoot']},
  {answers: {machines: 'existing', system: 'built'}, mode: 'agent', gives: ['system']},
  {answers: {machines: 'existing', patches: 'replace'}, mode: 'agent', gives: ['patches']},
  {answers: {machines: 'existing', management: 'central'}, mode: 'agent', limits: ['centralManagement']},
  {answers: {machines: 'api', credentials: 'yes'}, mode: 'controller'},
  {answers: {machines: 'api', credentials: 'yes', system: 'own', patches: 'own-tools'}, mode: 'controller'},
  {answers: {machines: 'api', credentials: 'yes', boot: 'measured'}, mode: 'controller', gives: ['boot'], limits: ['trustedBoot']},
  {answers: {machines: 'api', credentials: 'no', system: 'own'}, mode: 'agent', gives: ['machines']},
  {answers: {machines: 'medium', system: 'built'}, mode: 'appliance', usable: 'agent', limits: ['appliance']},
  {answers: {machines: 'medium', system: 'built', boot: 'measured'}, mode: 'appliance', usable: 'agent', limits: ['appliance', 'trustedBoot']},
  {answers: {machines: 'medium', system: 'own', credentials: 'no'}, mode: 'agent', gives: ['machines']},
  {answers: {system: 'own', boot: 'measured', machines: 'medium', credentials: 'no'}, mode: 'agent', gives: ['boot', 'machines'], limits: ['trustedBoot']},
  {answers: {machines: 'api'}, mode: undefined, missing: ['system', 'credentials']},
  {answers: {}, mode: undefined, missing: ['machines', 'system', 'credentials', 'patches', 'place', 'network', 'management']},
];

describe('the advisor', () => {
  it.each(table.map((row) => [JSON.stringify(row.answers), row] as const))('%s', (_name, row) => {
    const advice = advise(row.answers);
    expect(advice.recommended).toBe(row.mode);
    expect(advice.usable).toBe(row.usable ?? row.mode);
    expect(advice.missing).toEqual(row.missing ?? []);
    expect(advice.contradictions.map(({giveUp}) => giveUp)).toEqual(row.gives ?? []);
    expect(advice.limits.map(({feature}) => feature)).toEqual(row.limits ?? []);
  });

  it('gives reasons that cite the answers', () => {
    const [best] = advise({machines: 'existing', system: 'own'}).verdicts;
    expect(best?.for.map(({topic, answer}) => `${topic}=${answer}`)).toEqual(['machines=existing', 'system=own']);
    for (const {topic, text} of best?.for ?? []) expect(text).toContain(questions[topic].message);
    expect(best?.for[0]?.text).toContain('they are there, run Linux, and answer SSH');
  });

  it('says what speaks against the mode that it recommends, also of an answer that is to be given up', () => {
    const [best] = advise({machines: 'existing', system: 'own', boot: 'measured'}).verdicts;
    expect(best?.against.map(({topic}) => topic)).toEqual(['boot']);
  });

  it('names the one to give up for every contradiction, and its answers are real', () => {
    for (const {answers, giveUp, text} of contradictions) {
      for (const [topic, answer] of Object.entries(answers)) expect(questions[topic as Topic].options.map(({value}) => value)).toContain(answer);
      expect(Object.keys(answers)).toContain(giveUp);
      expect(text).toMatch(/[Gg]ive up|Give them up/);
      expect(advise(answers).contradictions[0]?.giveUp).toBe(giveUp);
    }
  });

  it('never recommends a mode that an answer excludes, whatever the answers are', () => {
    for (const one of everyCombination()) {
      const {recommended, verdicts} = advise(one);
      expect(recommended).toBeDefined();
      if (verdicts[0]?.excluded === true) expect(verdicts.every(({excluded}) => excluded)).toBe(true);
    }
  });

  it('asks until it is settled, and no further', () => {
    let answers: AdviceAnswers = {};
    const asked: Topic[] = [];
    for (let topic = nextTopic(answers); topic !== undefined; topic = nextTopic(answers)) {
      asked.push(topic);
      answers = {...answers, [topic]: questions[topic].options[0]?.value};
    }
    expect(asked).toEqual(['machines']);
    expect(nextTopic({machines: 'api'})).toBe('system');
  });

  it('passes over an answer that it does not know', () => {
    expect(advise({machines: 'nowhere'}).missing).toContain('machines');
  });

  it('has a rule or a limit for every answer but those that change nothing', () => {
    const silent = topics.flatMap((topic) =>
      questions[topic].options.filter(({value}) => !rules.some((rule) => rule.topic === topic && rule.answer === value)).map(({value}) => `${topic}=${value}`),
    );
    expect(silent).toEqual(['boot=no', 'place=datacenter', 'network=online', 'network=proxy', 'management=local']);
  });
});

describe('the comparison', () => {
  it('fits into 80 columns, in ASCII too', () => {
    for (const ascii of [false, true]) {
      const style = createStyle({color: false, ascii});
      const text = `${renderComparison(modeNames, comparison, style)}\n${renderProvisioning(modeNames, provisioning, style)}`;
      expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
      // oxlint-disable-next-line no-control-regex -- what isn't ASCII is meant
      if (ascii) expect(text).not.toMatch(/[^\u0000-\u007f]/);
    }
  });

  it('draws parts of one provider as one box', () => {
    const text = renderProvisioning(modeNames, provisioning, createStyle({color: false, ascii: true}));
    expect(text.split('\n').filter((line) => line.includes('you'))).toHaveLength(2);
    expect(text.match(/Trireme/g)).toHaveLength(3);
  });

  it('shows a mode that this version cannot do with the nearest that it can', () => {
    const text = renderAdvice(advise({machines: 'medium', system: 'built'}), createStyle({color: false, ascii: true}));
    expect(text).toContain('appliance mode fits best.');
    expect(text).toContain("Appliance mode isn't in this version.");
    expect(text).toContain('In this version: agent mode.');
  });
});

function everyCombination(): readonly AdviceAnswers[] {
  return topics.reduce<readonly AdviceAnswers[]>(
    (all, topic) => all.flatMap((one) => questions[topic].options.map((option) => ({...one, [topic]: option.value}))),
    [{}],
  );
}
