import {afterEach, describe, expect, it} from 'vitest';
import {fleetOf, openScreen, testServices, type TestScreen} from '../../support/screen.ts';
import {smallFleet} from './views.ts';

let screen: TestScreen | undefined;
afterEach(async () => screen?.stop());

describe('the Fleet', () => {
  it('shows a row for each cluster', async () => {
    screen = await openScreen({services: testServices(fleetOf(smallFleet))});
    await screen.shows(/NAME/);
    process.stderr.write(`\n[${screen.text()}]\n`);
    screen.press('j');
    await screen.shows(/❯ berth/);
    screen.press('\r');
    await screen.shows(/Fleet → berth/);
    process.stderr.write(`\n[${screen.text()}]\n`);
    screen.press('?');
    await screen.shows(/Everywhere|Cluster\n/);
    process.stderr.write(`\n[${screen.text()}]\n`);
    screen.press('\u001B');
    await screen.shows(/Fleet → berth *\n/);
    screen.press(':ech');
    await screen.shows(/:ech/);
    process.stderr.write(`\n[${screen.text()}]\n`);
    expect(1).toBe(1);
  });
});
