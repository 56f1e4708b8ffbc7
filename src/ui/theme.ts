// Colours and symbols of the screens: named by what they mean, as data. Health never stands on colour alone: each has its symbol.

export type Token =
  | 'title'
  | 'muted'
  | 'accent'
  | 'good'
  | 'working'
  | 'bad'
  | 'unknown'
  | 'warning'
  | 'key'
  | 'simulated'
  | 'mark'
  | 'link'
  | 'border'
  | 'header'
  | 'selected'
  | 'match';

/** For true colour, for 256 colours, and the SGR foreground code for 16. */
type Shade = readonly [hex: string, c256: number, c16: number];

interface Look {
  readonly fg?: Shade;
  readonly bg?: Shade;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly inverse?: boolean;
  readonly underline?: boolean;
}

type Palette = Readonly<Record<Token, Look>>;

const grey: Shade = ['#8a8f98', 245, 90];

/** The colours of each theme. The colour-blind-safe ones are Okabe and Ito's (2008): told apart with every common kind of colour blindness. */
export const palettes: Readonly<Record<ThemeName, Palette>> = {
  dark: {
    title: {bold: true},
    muted: {fg: grey},
    accent: {fg: ['#5fb7ff', 75, 96]},
    good: {fg: ['#5fd38d', 78, 32]},
    working: {fg: ['#5fb7ff', 75, 36]},
    bad: {fg: ['#ff6b6b', 203, 91], bold: true},
    unknown: {fg: ['#c9a6ff', 183, 35]},
    warning: {fg: ['#ffc857', 221, 33]},
    key: {fg: ['#ffc857', 221, 33]},
    simulated: {fg: ['#ffc857', 221, 33], inverse: true},
    mark: {fg: ['#ffc857', 221, 33], bold: true},
    link: {fg: ['#5fb7ff', 75, 36], underline: true},
    border: {fg: ['#4b5563', 240, 90]},
    header: {bold: true, fg: ['#9fe3ff', 117, 96]},
    selected: {bg: ['#24405c', 24, 44], bold: true},
    match: {fg: ['#ffc857', 221, 33], underline: true},
  },
  light: {
    title: {bold: true},
    muted: {fg: ['#5b6068', 241, 90]},
    accent: {fg: ['#0060b0', 25, 34]},
    good: {fg: ['#0b6e32', 22, 32]},
    working: {fg: ['#0060b0', 25, 34]},
    bad: {fg: ['#b3001b', 124, 31], bold: true},
    unknown: {fg: ['#6b2fa0', 55, 35]},
    warning: {fg: ['#8a5300', 94, 33]},
    key: {fg: ['#8a5300', 94, 33]},
    simulated: {fg: ['#8a5300', 94, 33], inverse: true},
    mark: {fg: ['#8a5300', 94, 33], bold: true},
    link: {fg: ['#0060b0', 25, 34], underline: true},
    border: {fg: ['#b0b5bd', 249, 37]},
    header: {bold: true, fg: ['#0060b0', 25, 34]},
    selected: {bg: ['#cfe4f7', 153, 46], bold: true},
    match: {fg: ['#8a5300', 94, 33], underline: true},
  },
  'colour-blind': {
    title: {bold: true},
    muted: {fg: grey},
    accent: {fg: ['#56b4e9', 74, 96]},
    good: {fg: ['#0099e0', 32, 94]},
    working: {fg: ['#f0e442', 227, 33]},
    bad: {fg: ['#d55e00', 166, 91], bold: true, underline: true},
    unknown: {fg: ['#cc79a7', 175, 35]},
    warning: {fg: ['#e69f00', 178, 33]},
    key: {fg: ['#e69f00', 178, 33]},
    simulated: {fg: ['#e69f00', 178, 33], inverse: true},
    mark: {fg: ['#e69f00', 178, 33], bold: true},
    link: {fg: ['#56b4e9', 74, 96], underline: true},
    border: {fg: grey},
    header: {bold: true, fg: ['#56b4e9', 74, 96]},
    selected: {bg: ['#1f3f5b', 24, 44], bold: true},
    match: {fg: ['#e69f00', 178, 33], underline: true},
  },
};

export const themeNames = ['dark', 'light', 'colour-blind'] as const;
export type ThemeName = (typeof themeNames)[number];

export interface UiSymbols {
  readonly good: string;
  readonly working: string;
  readonly bad: string;
  readonly unknown: string;
  readonly warning: string;
  readonly cursor: string;
  readonly mark: string;
  readonly arrow: string;
  readonly ellipsis: string;
  readonly separator: string;
  readonly folded: string;
  readonly unfolded: string;
  readonly branch: string;
  readonly lastBranch: string;
  readonly trunk: string;
  readonly rule: string;
  readonly barFull: string;
  readonly barHalf: string;
  readonly barEmpty: string;
  readonly up: string;
  readonly down: string;
  readonly caret: string;
  /** From nothing to all. */
  readonly spark: readonly string[];
  readonly spinner: readonly string[];
}

export const symbolSets: Readonly<Record<'unicode' | 'ascii', UiSymbols>> = {
  unicode: {
    good: '✔',
    working: '↻',
    bad: '✖',
    unknown: '?',
    warning: '▲',
    cursor: '❯',
    mark: '●',
    arrow: '→',
    ellipsis: '…',
    separator: '·',
    folded: '▸',
    unfolded: '▾',
    branch: '├─ ',
    lastBranch: '└─ ',
    trunk: '│  ',
    rule: '─',
    barFull: '█',
    barHalf: '▒',
    barEmpty: '░',
    up: '↑',
    down: '↓',
    caret: '▏',
    spark: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
    spinner: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
  },
  ascii: {
    good: '+',
    working: '~',
    bad: 'x',
    unknown: '?',
    warning: '!',
    cursor: '>',
    mark: '*',
    arrow: '->',
    ellipsis: '...',
    separator: '-',
    folded: '>',
    unfolded: 'v',
    branch: '|- ',
    lastBranch: '`- ',
    trunk: '|  ',
    rule: '-',
    barFull: '#',
    barHalf: '=',
    barEmpty: '.',
    up: '^',
    down: 'v',
    caret: '_',
    spark: ['_', '.', '-', '=', '+', '*', '%', '#'],
    spinner: ['|', '/', '-', '\\'],
  },
};

/** 0: no colour (bold and inverse only); 1: 16; 2: 256; 3: true colour. */
export type ColorLevel = 0 | 1 | 2 | 3;

export interface Theme {
  readonly name: ThemeName;
  readonly level: ColorLevel;
  readonly symbols: UiSymbols;
  /** The text in the token's look. It may hold painted parts: their ends come back to this look. */
  paint(token: Token, text: string): string;
  /** A link (OSC 8) where the terminal may know it, else the text. The address must be ours or checked. */
  link(url: string, text: string): string;
}

export interface ThemeOptions {
  readonly name: ThemeName;
  readonly level: ColorLevel;
  readonly ascii: boolean;
}

const reset = '\u001B[0m';

export function createTheme({name, level, ascii}: ThemeOptions): Theme {
  const palette = palettes[name];
  const opened = Object.fromEntries(Object.entries(palette).map(([token, look]) => [token, openingOf(look, level)])) as Record<Token, string>;
  return {
    name,
    level,
    symbols: symbolSets[ascii ? 'ascii' : 'unicode'],
    paint: (token, text) => {
      const open = opened[token];
      if (open === '' || text === '') return text;
      return `${open}${text.includes(reset) ? text.replaceAll(reset, reset + open) : text}${reset}`;
    },
    link: (url, text) => (ascii || !/^https?:\/\/[\u0021-\u007E]+$/.test(url) ? text : `\u001B]8;;${url}\u0007${text}\u001B]8;;\u0007`),
  };
}

function openingOf(look: Look, level: ColorLevel): string {
  const codes: string[] = [];
  if (look.bold === true) codes.push('1');
  if (look.underline === true) codes.push('4');
  if (look.inverse === true || (level === 0 && look.bg !== undefined)) codes.push('7');
  if (look.fg !== undefined) codes.push(...shadeCodes(look.fg, level, false));
  if (look.bg !== undefined) codes.push(...shadeCodes(look.bg, level, true));
  return codes.length === 0 ? '' : `\u001B[${codes.join(';')}m`;
}

function shadeCodes([hex, c256, c16]: Shade, level: ColorLevel, isBackground: boolean): readonly string[] {
  if (level === 0) return [];
  if (level === 1) return [String(c16)];
  if (level === 2) return [isBackground ? '48' : '38', '5', String(c256)];
  const channel = (start: number) => String(Number.parseInt(hex.slice(start, start + 2), 16));
  return [isBackground ? '48' : '38', '2', channel(1), channel(3), channel(5)];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** How many colours the terminal has, by its environment; `color` is what the person wants. */
export function colorLevelOf(env: Environment, color: 'auto' | 'always' | 'never'): ColorLevel {
  if (color === 'never' || (env['NO_COLOR'] ?? '') !== '') return 0;
  const term = env['TERM'] ?? '';
  if (color === 'auto' && term === 'dumb') return 0;
  if (/^(truecolor|24bit)$/i.test(env['COLORTERM'] ?? '') || /-direct$|kitty|ghostty/.test(term)) return 3;
  return /256/.test(term) ? 2 : 1;
}

/** The theme that is named, else the one that fits the background as far as the terminal tells (COLORFGBG). */
export function themeNameOf(wanted: ThemeName | 'auto', env: Environment): ThemeName {
  if (wanted !== 'auto') return wanted;
  const background = Number((env['COLORFGBG'] ?? '').split(';').at(-1));
  return env['COLORFGBG'] !== undefined && (background === 7 || background === 15) ? 'light' : 'dark';
}
