// What every screen is set in: its lines, one line for filter, notice or remark, and the hint line. Its keys are registered here.
import {fit} from '../cells.ts';
import type {KeyLayer} from '../key-router.ts';
import {useKeys, usePaced, useUi} from '../ui-context.ts';
import {HintLine} from './hint-line.tsx';
import {Line, Lines} from './line.tsx';

export interface ScreenFrameProps {
  /** The screen's keys; where they depend on its state, as a function that is asked when a key is pressed. */
  readonly keys: KeyLayer | (() => KeyLayer);
  /** At most `area.rows` of them, fitted to `area.columns`. */
  readonly lines: readonly string[];
  /** In the place of the remark: the filter that is being typed, what is marked. Fitted and painted. */
  readonly foot?: string;
}

/** Rows that the frame takes for itself below a screen's lines. */
export const footRows = 2;

export function ScreenFrame({keys, lines, foot}: ScreenFrameProps) {
  const {area, navigator, notice, theme} = useUi();
  useKeys(keys);
  const {scopes, on} = typeof keys === 'function' ? keys() : keys;
  const {stack, overlay} = usePaced(navigator.place);
  const said = usePaced(notice);
  const remark = said === undefined ? '' : theme.paint(said.token, fit(said.text, area.columns, {ellipsis: theme.symbols.ellipsis}));
  return (
    <>
      <Lines lines={lines} height={area.rows} />
      {overlay === undefined ? (
        <>
          <Line text={foot ?? remark} />
          <HintLine scopes={scopes} on={on} isRoot={stack.length <= 1} />
        </>
      ) : null}
    </>
  );
}
