// An action as the command line that a person would type.
import {controlPlaneCount, usualWords, type Action, type ActionInput, type ActionRequest, type Answer, type ClusterPlace, type Subject} from './action.ts';

/** The whole command line without the program's name: `cluster scale web md-0=5 --wait --context prod -n fleet`. `more` are flags besides. */
export function argvOf({action, subject, answers}: ActionRequest, more: readonly string[] = []): readonly string[] {
  const words: string[] = [];
  const flags: string[] = [];
  const behind: string[] = [];
  for (const input of action.inputs) {
    const built = wordsOf(input, answers[input.id] ?? presetOf(input));
    words.push(...built.words);
    flags.push(...built.flags);
    behind.push(...built.behind);
  }
  const tail = behind.length === 0 ? [] : ['--', ...behind];
  const {named, placed} = subjectWords(action, subject);
  return [...action.command, ...named, ...words, ...flags, ...placed, ...more, ...tail];
}

/** The command line that only shows the plan: what is typed after it isn't in it. */
export function previewArgv(request: ActionRequest): readonly string[] {
  const inputs = request.action.inputs.filter((input) => input.kind !== 'name' && input.kind !== 'names');
  return argvOf({...request, action: {...request.action, inputs}}, ['--dry-run', '-o', 'json']);
}

/** The command line that does it without asking again, and tells its events to a program. */
export function runArgv(request: ActionRequest): readonly string[] {
  return argvOf(request, ['--yes', '-o', 'ndjson']);
}

function presetOf(input: ActionInput): Answer | undefined {
  return input.kind === 'text' || input.kind === 'choice' ? input.preset : undefined;
}

interface Built {
  readonly words: readonly string[];
  readonly flags: readonly string[];
  readonly behind: readonly string[];
}

function wordsOf(input: ActionInput, answer: Answer | undefined): Built {
  const none: Built = {words: [], flags: [], behind: []};
  switch (input.kind) {
    case 'counts': {
      const counts = Object.entries((answer ?? {}) as Readonly<Record<string, number>>);
      return {
        ...none,
        words: counts.filter(([pool]) => pool !== controlPlaneCount).map(([pool, number]) => `${pool}=${number}`),
        flags: counts.filter(([pool]) => pool === controlPlaneCount).flatMap(([, number]) => ['--control-plane', String(number)]),
      };
    }
    case 'text':
      return answer === undefined || answer === '' ? none : {...none, flags: [`--${input.flag}`, String(answer)]};
    case 'choice':
      if (answer === true) return {...none, flags: [`--${input.flag}`]};
      return input.allowNo === true ? {...none, flags: [`--no-${input.flag}`]} : none;
    case 'name':
      return input.flag === undefined || typeof answer !== 'string' ? none : {...none, flags: [`--${input.flag}`, answer]};
    case 'names':
      return {...none, flags: Array.isArray(answer) ? answer.flatMap((name: string) => [`--${input.flag}`, name]) : []};
    case 'words':
      return {...none, behind: Array.isArray(answer) ? answer : []};
  }
}

/** What names the subject, and what says where it is. */
function subjectWords(action: Action, subject: Subject): {readonly named: readonly string[]; readonly placed: readonly string[]} {
  const cluster = subject.about === 'fleet' ? undefined : subject.cluster;
  const said = action.says ?? usualWords[action.about];
  return {
    named: [
      ...(said.includes('cluster') && cluster !== undefined ? [cluster.name] : []),
      ...(said.includes('machine') && subject.about === 'machine' ? [subject.machine] : []),
      ...(said.includes('run') && subject.about === 'run' ? [subject.run] : []),
    ],
    placed:
      cluster === undefined
        ? []
        : [
            ...(said.includes('--limit') && subject.about === 'machine' ? ['--limit', subject.machine] : []),
            ...(said.includes('-c') ? ['-c', cluster.name] : []),
            ...(said.includes('files') || said.includes('place') ? fileFlags(cluster) : []),
            ...(said.includes('place') ? managementFlags(cluster) : []),
          ],
  };
}

function fileFlags({files}: ClusterPlace): readonly string[] {
  return files.flatMap((file) => ['-f', file]);
}

/** What the file leaves open is said, too: the current context may be another one by now. What contradicts the file is refused by the command. */
function managementFlags({mode, kubeconfig, context, namespace}: ClusterPlace): readonly string[] {
  if (mode !== 'controller') return [];
  return [
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
    ...(context === undefined ? [] : ['--context', context]),
    ...(namespace === undefined ? [] : ['-n', namespace]),
  ];
}
