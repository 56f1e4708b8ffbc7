// Colour and symbols, decided once for a terminal and handed to every renderer.
import {Chalk, type ChalkInstance} from 'chalk';

export interface Symbols {
  readonly done: string;
  readonly failed: string;
  readonly warning: string;
  readonly bullet: string;
  readonly arrow: string;
  readonly ellipsis: string;
  readonly working: readonly string[];
  readonly barFull: string;
  readonly barEmpty: string;
  readonly branch: string;
  readonly lastBranch: string;
  readonly trunk: string;
}

const unicode: Symbols = {
  done: '✔',
  failed: '✖',
  warning: '▲',
  bullet: '•',
  arrow: '→',
  ellipsis: '…',
  working: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
  barFull: '█',
  barEmpty: '░',
  branch: '├─ ',
  lastBranch: '└─ ',
  trunk: '│  ',
};

const ascii: Symbols = {
  done: '+',
  failed: 'x',
  warning: '!',
  bullet: '*',
  arrow: '->',
  ellipsis: '...',
  working: ['|', '/', '-', '\\'],
  barFull: '#',
  barEmpty: '.',
  branch: '|- ',
  lastBranch: '`- ',
  trunk: '|  ',
};

export interface Style {
  readonly color: ChalkInstance;
  readonly symbols: Symbols;
}

export interface StyleOptions {
  /** Whether colours may be used. */
  readonly color: boolean;
  /** Whether to keep to ASCII. */
  readonly ascii: boolean;
}

/** The style for a stream. */
export function createStyle(options: StyleOptions): Style {
  return {color: new Chalk({level: options.color ? 1 : 0}), symbols: options.ascii ? ascii : unicode};
}

export const plainStyle: Style = createStyle({color: false, ascii: false});
