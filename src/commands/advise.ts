import {z} from 'zod';
import {TriremeError} from '../kernel/errors.ts';
import {adviceAnswersOf, adviceFlags} from './base-advice.ts';
import {BaseCommand} from './base-command.ts';

const mode = z.enum(['controller', 'agent', 'appliance']);
const argument = z.strictObject({topic: z.string(), answer: z.string(), text: z.string()});
const row = z.strictObject({title: z.string(), cells: z.strictObject({controller: z.string(), agent: z.string(), appliance: z.string()})});
const result = z.strictObject({
  recommended: mode.nullable(),
  usable: mode.nullable(),
  missing: z.array(z.strictObject({topic: z.string(), flag: z.string(), question: z.string(), answers: z.array(z.string())})),
  verdicts: z.array(z.strictObject({mode, excluded: z.boolean(), for: z.array(argument), against: z.array(argument)})),
  contradictions: z.array(z.strictObject({topics: z.array(z.string()), giveUp: z.string(), answer: z.string(), text: z.string()})),
  limits: z.array(z.strictObject({feature: z.string(), missing: z.string(), nearest: z.string()})),
  comparison: z.array(row),
  provisioning: z.array(row),
});

export default class Advise extends BaseCommand<z.input<typeof result>> {
  static override summary = 'Recommend a deployment mode from a few answers, with reasons and what speaks against it.';
  static override description =
    'Only as many answers are needed as settle it; without enough, the missing ones are named and the exit code is 2. Answers that contradict each other name the one to give up.';
  static override examples = [
    '<%= config.bin %> advise --machines existing',
    '<%= config.bin %> advise --machines api --credentials yes -o json',
    '<%= config.bin %> advise --machines existing --system own --boot measured',
  ];
  static override flags = adviceFlags;
  static override resultSchema = () => result;

  async run() {
    const {flags} = await this.parse(Advise);
    const [{advise}, {questions}, {comparison, modeNames, provisioning}, {renderAdvice}, {renderComparison, renderProvisioning}] = await Promise.all([
      import('../modes/advisor.ts'),
      import('../modes/advisor/questions.ts'),
      import('../modes/advisor/comparison.ts'),
      import('../output/advice-text.ts'),
      import('../output/comparison-text.ts'),
    ]);
    const advice = advise(adviceAnswersOf(flags));
    const missing = advice.missing.map((topic) => ({
      topic,
      flag: `--${topic}`,
      question: questions[topic].message,
      answers: questions[topic].options.map(({value}) => value),
    }));
    this.out.print(`${renderComparison(modeNames, comparison, this.out.style)}\n\n${renderProvisioning(modeNames, provisioning, this.out.style)}\n`);
    const text = renderAdvice(advice, this.out.style, this.out.terminal.stdout.columns ?? 80);
    if (text !== '') this.out.print(text);
    if (missing.length > 0)
      this.failWith(
        new TriremeError('usage.answer-required', `Not enough is answered to recommend a mode; missing: ${missing.map(({flag}) => flag).join(', ')}.`, {
          hints: missing.map(({flag, question, answers}) => `${flag} ${answers.join('|')}  ${question}`),
          details: {missing},
        }),
      );
    return {
      recommended: advice.recommended ?? null,
      usable: advice.usable ?? null,
      missing,
      verdicts: advice.verdicts.map((verdict) => ({...verdict, for: [...verdict.for], against: [...verdict.against]})),
      contradictions: advice.contradictions.map((one) => ({...one, topics: [...one.topics]})),
      limits: [...advice.limits],
      comparison: comparison.map(({title, cells}) => ({title, cells: {...cells}})),
      provisioning: provisioning.map(({title, cells}) => ({title, cells: {...cells}})),
    };
  }
}
