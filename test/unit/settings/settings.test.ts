import {mkdtemp, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {readSettings, requireSettingName, settingsPath, writeSetting} from '../../../src/settings.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trireme-settings-'));
});
afterEach(() => rm(folder, {recursive: true}));

const screens = {theme: 'auto', 'screen-reader': false, 'fleet-columns': '', 'fleet-group': 'none', 'fleet-sort': 'name'};

it('are the defaults when nothing is written', () => {
  expect(readSettings(folder)).toEqual({settings: {color: 'auto', ascii: false, concurrency: 16, ...screens}, complaints: []});
});

it('are read as they were written, in a file for their owner only, and go back to the default', async () => {
  await writeSetting('concurrency', '4', folder);
  await writeSetting('ascii', 'on', folder);
  expect(readSettings(folder).settings).toEqual({color: 'auto', ascii: true, concurrency: 4, ...screens});
  expect((await stat(settingsPath(folder))).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(settingsPath(folder), 'utf8'))).toEqual({concurrency: 4, ascii: true});
  await writeSetting('concurrency', undefined, folder);
  expect(readSettings(folder).settings.concurrency).toBe(16);
});

it('refuse a value that is none, and name the setting that was meant', async () => {
  await expect(writeSetting('concurrency', '0', folder)).rejects.toMatchObject({code: 'settings.invalid'});
  expect(() => requireSettingName('colour')).toThrow(expect.objectContaining({hints: expect.arrayContaining(['Did you mean color?'])}));
});

it('that are damaged are said, and the defaults count', async () => {
  await writeFile(settingsPath(folder), '{"color": "pink", "cheese": 1, "ascii": true}');
  const {settings, complaints} = readSettings(folder);
  expect(settings).toEqual({color: 'auto', ascii: true, concurrency: 16, ...screens});
  expect(complaints).toHaveLength(2);
  await writeFile(settingsPath(folder), '{');
  expect(readSettings(folder).complaints).toHaveLength(1);
});

it.each([
  ['theme', 'colour-blind', true],
  ['theme', 'pink', false],
  ['fleet-columns', 'name,control-plane', true],
  ['fleet-columns', 'name;rm', false],
  ['fleet-sort', '-health', true],
  ['fleet-group', 'namespace', true],
  ['fleet-group', 'colour', false],
] as const)('%s takes %s: %s', async (name, value, isGood) => {
  const writing = writeSetting(name, value, folder);
  if (isGood) await expect(writing).resolves.toBe(value);
  else await expect(writing).rejects.toMatchObject({code: 'settings.invalid'});
});
