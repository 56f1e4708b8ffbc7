// A person's few preferences, kept in settings.json below the configuration folder. Reading is plain, since every command does it; writing is conf's.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {configFolder} from './kernel/folders.ts';
import {TriremeError} from './kernel/errors.ts';
import {nearest} from './kernel/nearest.ts';

export interface Settings {
  readonly color: 'auto' | 'always' | 'never';
  readonly ascii: boolean;
  /** How many hosts are worked on at once. */
  readonly concurrency: number;
  /** Colours of the screens. */
  readonly theme: 'auto' | 'dark' | 'light' | 'colour-blind';
  /** Plain lines of changes in place of screens. */
  readonly 'screen-reader': boolean;
  /** Ids of the Fleet's columns, apart by commas; empty: the default ones. */
  readonly 'fleet-columns': string;
  readonly 'fleet-group': 'none' | 'mode' | 'namespace';
  /** A column's id, with a minus before it for the other direction. */
  readonly 'fleet-sort': string;
}

export type SettingName = keyof Settings;

interface SettingEntry {
  readonly meaning: string;
  readonly values: string;
  readonly fallback: Settings[SettingName];
  /** The value for a text, or undefined when it isn't one. */
  read(text: string): Settings[SettingName] | undefined;
}

const booleans: Readonly<Record<string, boolean>> = {true: true, false: false, yes: true, no: false, on: true, off: false};

export const settingsTable: Readonly<Record<SettingName, SettingEntry>> = {
  color: {
    meaning: 'Colours in the output.',
    values: 'auto, always or never',
    fallback: 'auto',
    read: (text) => (['auto', 'always', 'never'] as const).find((value) => value === text),
  },
  ascii: {meaning: 'ASCII symbols only.', values: 'true or false', fallback: false, read: (text) => booleans[text]},
  concurrency: {
    meaning: 'How many hosts are worked on at once.',
    values: 'a whole number from 1 to 1000',
    fallback: 16,
    read: (text) => (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= 1000 ? Number(text) : undefined),
  },
  theme: {
    meaning: 'Colours of the screens; auto: dark, or light where the terminal says so.',
    values: 'auto, dark, light or colour-blind',
    fallback: 'auto',
    read: (text) => (['auto', 'dark', 'light', 'colour-blind'] as const).find((value) => value === text),
  },
  'screen-reader': {meaning: 'Plain lines of changes in place of screens.', values: 'true or false', fallback: false, read: (text) => booleans[text]},
  'fleet-columns': {
    meaning: "The Fleet's columns, apart by commas; empty: the default ones. The screen's own key c sets it.",
    values: 'names of columns, apart by commas',
    fallback: '',
    read: (text) => (/^[a-z-]*(,[a-z-]+)*$/.test(text) ? text : undefined),
  },
  'fleet-group': {
    meaning: 'What the Fleet is grouped by.',
    values: 'none, mode or namespace',
    fallback: 'none',
    read: (text) => (['none', 'mode', 'namespace'] as const).find((value) => value === text),
  },
  'fleet-sort': {
    meaning: "The Fleet's order: a column, with a minus before it for the other direction.",
    values: 'the name of a column',
    fallback: 'name',
    read: (text) => (/^-?[a-z-]+$/.test(text) ? text : undefined),
  },
};

export const settingNames = Object.keys(settingsTable) as readonly SettingName[];

const defaults = Object.fromEntries(settingNames.map((name) => [name, settingsTable[name].fallback])) as unknown as Settings;

/** The file that holds the settings; it need not exist. */
export function settingsPath(folder: string = configFolder()): string {
  return join(folder, 'settings.json');
}

/** The settings with defaults filled in, and what can't be read in the file, as sentences. Never throws. */
export function readSettings(folder: string = configFolder()): {readonly settings: Settings; readonly complaints: readonly string[]} {
  const path = settingsPath(folder);
  let stored: unknown;
  try {
    stored = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return {settings: defaults, complaints: missing ? [] : [`${path} can't be read (${(error as Error).message}); the defaults are used.`]};
  }
  if (stored === null || typeof stored !== 'object') return {settings: defaults, complaints: [`${path} doesn't hold an object; the defaults are used.`]};
  const complaints: string[] = [];
  const entries = Object.entries(stored).flatMap(([name, value]) => {
    const entry = settingsTable[name as SettingName] as SettingEntry | undefined;
    const read = entry?.read(String(value));
    if (read === undefined)
      complaints.push(
        entry === undefined
          ? `${path} has a setting ${name} that isn't known.`
          : `${path}: ${name} takes ${entry.values}, not ${JSON.stringify(value)}; the default is used.`,
      );
    return read === undefined ? [] : [[name, read]];
  });
  return {settings: {...defaults, ...Object.fromEntries(entries)}, complaints};
}

/** Throws `settings.invalid` with the nearest name unless it's the name of a setting. */
export function requireSettingName(name: string): SettingName {
  const known = settingNames.find((candidate) => candidate === name);
  if (known !== undefined) return known;
  const near = nearest(name, settingNames);
  throw new TriremeError('settings.invalid', `There's no setting ${name}.`, {
    hints: [...(near === undefined ? [] : [`Did you mean ${near}?`]), 'List them: trireme settings list'],
  });
}

/** Stores one setting, or takes it back to its default when `text` is undefined. Throws `settings.invalid`. */
export async function writeSetting(name: SettingName, text: string | undefined, folder: string = configFolder()): Promise<Settings[SettingName]> {
  const {default: Conf} = await import('conf');
  const store = new Conf<Record<string, unknown>>({
    cwd: folder,
    configName: 'settings',
    projectName: 'trireme',
    clearInvalidConfig: true,
    configFileMode: 0o600,
    accessPropertiesByDotNotation: false,
  });
  const entry = settingsTable[name];
  if (text === undefined) {
    store.delete(name);
    return entry.fallback;
  }
  const value = entry.read(text);
  if (value === undefined) throw new TriremeError('settings.invalid', `The setting ${name} takes ${entry.values}, not ${text}.`);
  store.set(name, value);
  return value;
}
