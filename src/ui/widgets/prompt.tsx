// A question over the lower part of a screen, with what is at stake above it.
import {clean, cut, fit, graphemes, tail} from '../cells.ts';
import {answerOf, initialPrompt, reducePrompt, type Prompt, type PromptAnswer} from '../prompt.ts';
import {usePacedReducer, useKeys, useUi} from '../ui-context.ts';
import {HintLine} from './hint-line.tsx';
import {Line} from './line.tsx';

export function PromptPanel({prompt, answer, height}: {readonly prompt: Prompt; answer(answer: PromptAnswer): void; readonly height: number}) {
  const {theme, area} = useUi();
  const {state, get, dispatch} = usePacedReducer(reducePrompt(prompt), () => initialPrompt(prompt));
  const take = () => {
    const result = answerOf(prompt, get());
    if ('complaint' in result) dispatch({type: 'complain', complaint: result.complaint});
    else answer(result.answer);
  };
  const types = prompt.kind === 'text' || prompt.kind === 'type-name' || prompt.kind === 'secret';
  const chooses = prompt.kind === 'choose' || prompt.kind === 'choose-many';
  const on = {
    // a confirmation is given with y: enter alone must not destroy anything
    ...(prompt.kind === 'confirm' ? {} : {accept: take}),
    cancel: () => answer(undefined),
    ...(types ? {erase: () => dispatch({type: 'erase'}), 'erase-all': () => dispatch({type: 'erase-all'})} : {}),
    ...(chooses ? {'next-choice': () => dispatch({type: 'move', by: 1}), 'previous-choice': () => dispatch({type: 'move', by: -1})} : {}),
    ...(prompt.kind === 'choose-many' ? {toggle: () => dispatch({type: 'toggle'})} : {}),
  } as const;
  const text = (typed: string) => {
    if (prompt.kind === 'confirm') {
      if (typed === 'y' || typed === 'Y') answer(true);
      else if (typed === 'n' || typed === 'N') answer(undefined);
    } else if (types) dispatch({type: 'type', text: typed});
    return true;
  };
  useKeys({scopes: ['prompt'], on, text, takesAll: true});
  const {ellipsis, cursor, mark, caret} = theme.symbols;
  const width = area.columns;
  const body = (prompt.body ?? []).map((line) => cut(line, width - 2, ellipsis));
  const choices = chooses
    ? prompt.choices.map((choice, index) => {
        const box = prompt.kind === 'choose-many' ? `[${state.chosen.has(choice.id) ? mark : ' '}] ` : '';
        const line = fit(
          `${index === state.cursor ? cursor : ' '} ${box}${clean(choice.label)}${choice.note === undefined ? '' : `  ${clean(choice.note)}`}`,
          width,
          {ellipsis},
        );
        return index === state.cursor ? theme.paint('selected', line) : line;
      })
    : [];
  const input = types
    ? [
        `${theme.paint('accent', theme.symbols.cursor)} ${tail(prompt.kind === 'secret' ? '*'.repeat(graphemes(state.text).length) : clean(state.text), width - 4)}${theme.paint('accent', caret)}`,
      ]
    : [];
  const ask = prompt.kind === 'confirm' ? [`${theme.paint('key', 'y')} ${prompt.yes ?? 'yes'}   ${theme.paint('key', 'n')} no`] : [];
  const complaint = state.complaint === undefined ? [] : [theme.paint('bad', cut(state.complaint, width, ellipsis))];
  const fixed = 2 + input.length + ask.length + complaint.length;
  const room = Math.max(1, height - fixed);
  const start = chooses ? Math.max(0, Math.min(state.cursor - room + 1, choices.length - room)) : 0;
  const middle = [...body.map((line) => `  ${line}`), ...choices];
  const cutBody = chooses ? [...body.map((line) => `  ${line}`), ...choices.slice(start, start + Math.max(1, room - body.length))] : middle.slice(0, room);
  const hidden = middle.length - cutBody.length;
  const lines = [
    theme.paint('border', theme.symbols.rule.repeat(width)),
    theme.paint('title', cut(clean(prompt.title), width, ellipsis)),
    ...(hidden > 0 && !chooses ? [...cutBody.slice(0, -1), theme.paint('muted', `  ${ellipsis} ${hidden + 1} more lines`)] : cutBody),
    ...input,
    ...ask,
    ...complaint,
  ];
  return (
    <>
      {lines.map((line, row) => (
        // oxlint-disable-next-line react/no-array-index-key -- rows have no other name
        <Line key={row} text={line} />
      ))}
      <HintLine scopes={['prompt']} on={on} isRoot />
    </>
  );
}

/** Rows that the panel wants. */
export function promptHeight(prompt: Prompt): number {
  const choices = 'choices' in prompt ? prompt.choices.length : 0;
  return 4 + (prompt.body?.length ?? 0) + choices + (choices > 0 ? 0 : 1);
}
