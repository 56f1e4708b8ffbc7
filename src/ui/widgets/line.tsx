// One row of the screen. Its text is fitted and painted before: Ink neither wraps nor measures more than it must.
import {Text} from 'ink';

export function Line({text = ''}: {readonly text?: string}) {
  return <Text wrap="truncate-end">{text === '' ? ' ' : text}</Text>;
}

/** Rows in a column, filled up with empty ones to exactly `height`. */
export function Lines({lines, height}: {readonly lines: readonly string[]; readonly height: number}) {
  return Array.from({length: Math.max(0, height)}, (_, row) => <Line key={row} text={lines[row] ?? ''} />);
}
