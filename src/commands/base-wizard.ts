// The wizard's glue: its questions on this terminal, its looks at the world, its session on disk; and the plan and the run at its end.
import {access} from 'node:fs/promises';
import {dirname, resolve} from 'node:path';
import {stateFolder} from '../kernel/folders.ts';
import {isTriremeError, TriremeError} from '../kernel/errors.ts';
import {sanitize, sanitizeLine} from '../output/sanitize.ts';
import {createStyle} from '../output/style.ts';
import type {Question, Reply} from '../prompts/question.ts';
import {hostText, type Answers} from '../spec/answers.ts';
import type {WizardContext} from '../wizard/context.ts';
import type {Given, Walk} from '../wizard/flow.ts';
import {TargetCommand} from './base-target.ts';
import {unknownKeysOf} from './base-trust.ts';

export interface WizardRequest {
  /** As it was named; it may be there already. */
  readonly file: string;
  readonly force: boolean;
  readonly trust: boolean;
  /** Answers that are known: from flags and files. */
  readonly answers: Answers;
  readonly advice: Readonly<Record<string, string | undefined>>;
  /** A walk that was left: gone on with when `resume` says so, or the person does. */
  readonly kept?: Walk & {readonly savedAt: string};
  readonly resume: boolean;
}

export interface WizardResult {
  readonly file: string;
  readonly answers: Answers;
  readonly questions: number;
}

export abstract class WizardCommand<R> extends TargetCommand<R> {
  /** Asks until nothing is open. Throws `run.interrupted` on Ctrl-C; what was answered is kept. */
  protected async runWizard(request: WizardRequest): Promise<WizardResult> {
    const [{runFlow}, {wizardSteps}, {saveSession}, {agentAnswers}, {askQuestion}, {givenOfAdvice}] = await Promise.all([
      import('../wizard/flow.ts'),
      import('../wizard/steps.ts'),
      import('../wizard/session.ts'),
      import('../wizard/agent-steps.ts'),
      import('../prompts/ask-question.ts'),
      import('../wizard/mode-steps.ts'),
    ]);
    const context = await this.#context(request);
    const advice = Object.fromEntries(Object.entries(request.advice).filter((entry): entry is [string, string] => entry[1] !== undefined));
    const {color, symbols} = this.out.terminal.errorStyle;
    const ask = (question: Question) => askQuestion(cleanQuestion(question), {signal: this.signal, color: color.level > 0, ascii: symbols.arrow === '->'});
    const kept = await this.#keptWalk(request, ask);
    const given = {...kept?.given, ...givenOf(request.answers), ...givenOfAdvice(advice), ...(request.force ? {file: request.file} : {})};
    await this.#requireRightFlags(request.answers, given, context);
    let questions = 0;
    const steps = wizardSteps(context, request.file);
    this.out.note('Esc goes back one question. Ctrl-C leaves; what is answered is kept: trireme init --resume');
    const start: Walk = {given, trail: kept?.trail ?? []};
    try {
      await saveSession(stateFolder(), resolve(request.file), start);
      const walk = await runFlow({
        steps,
        start,
        ask: (question) => {
          questions += 1;
          return ask(question);
        },
        say: context.say,
        save: (now) => saveSession(stateFolder(), resolve(request.file), now),
      });
      const file = walk.given['file'];
      return {file: typeof file === 'string' ? file : request.file, answers: agentAnswers(walk.given, context), questions};
    } catch (error) {
      if (!isTriremeError(error) || error.code !== 'run.interrupted') throw error;
      throw new TriremeError('run.interrupted', 'The questions were left; nothing was written but the answers so far.', {
        hints: [`Go on where you were: trireme init --resume${request.file === 'trireme.yaml' ? '' : ` -f ${request.file}`}`],
        cause: error,
      });
    }
  }

  /** For --trust where nobody is asked: looks at the hosts, and records keys that known_hosts doesn't know. */
  protected async trustHosts(file: string, answers: Answers): Promise<void> {
    const [{HostLooks}, {allHosts}] = await Promise.all([import('../wizard/host-facts.ts'), import('../wizard/answers-of.ts')]);
    const {signal, redactor} = this;
    const hosts = new HostLooks({env: process.env, folder: dirname(resolve(file)), signal, redact: (secret) => redactor.add(secret)});
    const entries = allHosts(givenOf(answers));
    // a jump host's key first, then those behind it
    for (let round = 0; round < 4; round += 1) {
      const keys = await unknownKeysOf(await hosts.look(entries, answers, {askSudo: false}));
      if (keys.length === 0) return;
      for (const seen of keys) {
        for (const line of seen.lines) this.out.note(sanitize(`recorded: ${line}`));
        await seen.record();
      }
    }
  }

  /** The plan of the file, as `trireme plan` makes it, then the question and the run, as `trireme apply` has them. True when it was applied. */
  protected async planAndApply(file: string, isAsked: boolean): Promise<boolean> {
    const cluster = await this.readCluster({file: [file]});
    return this.withScope(cluster, {}, async (mode, scope) => {
      const facts = await mode.facts(cluster, scope);
      const plan = mode.plan(cluster, facts, {verb: 'converge'});
      this.requireFitHosts(mode.obstacles(cluster, facts, plan), {'dry-run': false});
      try {
        await this.present({plan, cluster, scope}, {yes: !isAsked, 'dry-run': false, 'break-lock': false});
        return true;
      } catch (error) {
        if (!isTriremeError(error) || error.code !== 'answer.refused') throw error;
        this.out.note('Nothing was applied. Later: trireme apply');
        return false;
      }
    });
  }

  /** Without --resume the person says whether to go on with what was left. */
  async #keptWalk({kept, resume}: WizardRequest, ask: (question: Question) => Promise<Reply>): Promise<Walk | undefined> {
    if (kept === undefined || resume) return kept;
    const when = kept.savedAt.slice(0, 16).replace('T', ' ');
    const reply = await ask({kind: 'yes', id: 'resume', message: `Questions were left unfinished (${when} UTC): go on with those answers?`, default: true});
    return 'answer' in reply && reply.answer === true ? kept : undefined;
  }

  async #context({file, trust}: WizardRequest): Promise<WizardContext> {
    const [{HostLooks}, {ManagementLooks}, {renderComparison, renderProvisioning}, {renderAdvice}, modes, {advise}, {adviceAnswersIn}, {agentAnswers}] =
      await Promise.all([
        import('../wizard/host-facts.ts'),
        import('../wizard/management-facts.ts'),
        import('../output/comparison-text.ts'),
        import('../output/advice-text.ts'),
        import('../modes/advisor/comparison.ts'),
        import('../modes/advisor.ts'),
        import('../wizard/mode-steps.ts'),
        import('../wizard/agent-steps.ts'),
      ]);
    const folder = dirname(resolve(file));
    const ascii = this.out.terminal.errorStyle.symbols.arrow === '->';
    // what is said passes the sanitizer, colours and all
    const style = createStyle({color: false, ascii});
    const {askSecret, signal, redactor} = this;
    const context: WizardContext = {
      env: process.env,
      folder,
      ascii,
      trustAll: trust,
      hosts: new HostLooks({env: process.env, folder, signal, redact: (secret) => redactor.add(secret), ...(askSecret === undefined ? {} : {askSecret})}),
      management: new ManagementLooks({env: process.env, folder, signal, redactor}),
      unknownKeys: unknownKeysOf,
      comparison: [
        renderComparison(modes.modeNames, modes.comparison, style),
        // on a small screen the question would push the table out of sight
        ...((this.out.terminal.stderr.rows ?? 24) < 38 ? [] : ['', renderProvisioning(modes.modeNames, modes.provisioning, style)]),
      ].join('\n'),
      advice: (given) => renderAdvice(advise(adviceAnswersIn(given)), style, this.out.terminal.stderr.columns ?? 80),
      // also with --quiet: a question isn't to be answered without what it is about
      say: (text) => void this.out.terminal.stderr.write(`${this.out.redact(sanitize(text))}\n`),
      fileIsThere: (path) => isThere(path),
      answers: (given) => agentAnswers(given, context),
    };
    return context;
  }

  /** What flags say is checked before the first question, as an answer would be. */
  async #requireRightFlags(answers: Answers, given: Given, context: WizardContext): Promise<void> {
    const {checkAnswer} = await import('../wizard/check-answer.ts');
    const complaints = await Promise.all(Object.entries(givenOf(answers)).map(([id, value]) => checkAnswer(id, value, given, context)));
    const wrong = complaints.find((one) => one !== undefined);
    if (wrong !== undefined) throw new TriremeError('usage.invalid', wrong, {hints: ['Correct the flag, or leave it out and be asked.']});
  }
}

export const isThere = (path: string): Promise<boolean> =>
  access(resolve(path)).then(
    () => true,
    () => false,
  );

function givenOf(answers: Answers): Given {
  return Object.fromEntries(
    Object.entries(answers).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.map((one) => (typeof one === 'string' ? one : hostText(one))) : (value ?? null),
    ]),
  );
}

/** Names and descriptions come from files and from an API. */
function cleanQuestion(question: Question): Question {
  const message = sanitizeLine(question.message);
  if (question.kind === 'text' || question.kind === 'yes') return {...question, message};
  return {
    ...question,
    message,
    choices: question.choices.map((choice) => ({
      ...choice,
      name: sanitizeLine(choice.name),
      ...(choice.description === undefined ? {} : {description: sanitizeLine(choice.description)}),
    })),
  };
}
