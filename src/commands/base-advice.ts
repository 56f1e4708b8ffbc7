// The advisor's questions as flags: of `advise`, and of `init` where no mode is named.
import {Flags} from '@oclif/core';
import {questions, topics, type AdviceAnswers, type Topic} from '../modes/advisor/questions.ts';

function adviceFlag(topic: Topic) {
  const {message, options} = questions[topic];
  const words = options.map(({value, label}) => `${value} (${label})`).join(', ');
  return Flags.string({
    summary: `${message} ${words}.`,
    env: `TRIREME_${topic.toUpperCase()}`,
    options: options.map(({value}) => value),
    helpGroup: 'WHICH MODE',
  });
}

export const adviceFlags = {
  machines: adviceFlag('machines'),
  system: adviceFlag('system'),
  boot: adviceFlag('boot'),
  credentials: adviceFlag('credentials'),
  patches: adviceFlag('patches'),
  place: adviceFlag('place'),
  network: adviceFlag('network'),
  management: adviceFlag('management'),
};

/** The answers among a command's flags. */
export function adviceAnswersOf(flags: Readonly<Record<string, unknown>>): AdviceAnswers {
  return Object.fromEntries(topics.flatMap((topic) => (typeof flags[topic] === 'string' ? [[topic, flags[topic]]] : [])));
}
