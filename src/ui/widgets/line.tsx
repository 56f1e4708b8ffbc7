// One row of the screen, over its whole width. Its text is fitted and painted before: Ink only finds the place for it.
import {Text} from 'ink';
import {nameOfLine} from '../line-texts.ts';

export function Line({text = ''}: {readonly text?: string}) {
  return <Text>{text === '' ? ' ' : nameOfLine(text)}</Text>;
}

/** Rows in a column, filled up with empty ones to exactly `height`. */
export function Lines({lines, height}: {readonly lines: readonly string[]; readonly height: number}) {
  return Array.from({length: Math.max(0, height)}, (_, row) => <Line key={row} text={lines[row] ?? ''} />);
}
