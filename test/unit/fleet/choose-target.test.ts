import {describe, expect, it} from 'vitest';
import {chooseTarget, type AskedTarget, type FoundHere} from '../../../src/fleet/choose-target.ts';
import type {KnownCluster} from '../../../src/fleet/known-clusters.ts';
import type {TriremeError} from '../../../src/kernel/errors.ts';

const known = (name: string, more: Partial<KnownCluster> = {}): KnownCluster => ({name, mode: 'controller', files: [], digest: '', hosts: [], ...more});
const nothing: FoundHere = {here: [], known: [], hasKubeconfig: false};
const choose = (asked: Partial<AskedTarget>, found: Partial<FoundHere> = {}) => chooseTarget({place: {}, ...asked}, {...nothing, ...found});

function refusal(work: () => unknown): TriremeError {
  try {
    work();
  } catch (error) {
    return error as TriremeError;
  }
  throw new Error('it was not refused');
}

describe('which cluster is meant', () => {
  it('takes the files that were named, whatever else is here', () => {
    const found = {defaultFile: 'trireme.yaml', here: [known('web')], known: [known('web', {files: ['/srv/other.yaml']})]};
    expect(choose({files: ['a.yaml'], name: 'web'}, found)).toEqual({kind: 'files', files: ['a.yaml'], name: 'web'});
  });

  it('takes ./trireme.yaml without a name', () => {
    expect(choose({}, {defaultFile: 'trireme.yaml', here: [known('web')]})).toEqual({kind: 'files', files: ['trireme.yaml']});
  });

  it('takes ./trireme.yaml for a name that is in it, before a known cluster of that name', () => {
    const found = {defaultFile: 'trireme.yaml', here: [known('web')], known: [known('web', {files: ['/srv/other.yaml']})]};
    expect(choose({name: 'web'}, found)).toEqual({kind: 'files', files: ['trireme.yaml'], name: 'web'});
  });

  it('takes the file of a known cluster, so that a verb edits it', () => {
    expect(choose({name: 'web'}, {known: [known('web', {files: ['/srv/web.yaml'], context: 'prod', namespace: 'a'})]})).toEqual({
      kind: 'files',
      files: ['/srv/web.yaml'],
      name: 'web',
    });
  });

  it('takes the file of a known cluster also when its place is named', () => {
    const found = {known: [known('web', {files: ['/srv/web.yaml'], context: 'prod', namespace: 'a'})]};
    expect(choose({name: 'web', place: {context: 'prod'}}, found)).toMatchObject({kind: 'files'});
  });

  it('goes past a known cluster of that name in another place', () => {
    const found = {known: [known('web', {files: ['/srv/web.yaml'], context: 'prod', namespace: 'a'})]};
    expect(choose({name: 'web', place: {context: 'test'}}, found)).toEqual({kind: 'live', name: 'web', place: {context: 'test'}});
  });

  it('goes to the place of a known cluster that has no file', () => {
    const found = {known: [known('web', {context: 'prod', namespace: 'a', kubeconfig: '/k'})]};
    expect(choose({name: 'web'}, found)).toEqual({kind: 'live', name: 'web', place: {context: 'prod', namespace: 'a', kubeconfig: '/k'}});
  });

  it('goes to what kubectl uses for a name that nobody knows', () => {
    expect(choose({name: 'web'}, {hasKubeconfig: true})).toEqual({kind: 'live', name: 'web', place: {}});
  });

  it('refuses a name of several known clusters, and names each of them', () => {
    const found = {known: [known('web', {context: 'prod', namespace: 'a'}), known('web', {context: 'prod', namespace: 'b', files: ['/srv/b.yaml']})]};
    const error = refusal(() => choose({name: 'web'}, found));
    expect(error.code).toBe('usage.invalid');
    expect(error.message).toBe('web can be 2 clusters:\n  web (context prod, namespace a)\n  web (context prod, namespace b, file /srv/b.yaml)');
    expect(choose({name: 'web', place: {namespace: 'b'}}, found)).toMatchObject({kind: 'files', files: ['/srv/b.yaml']});
  });

  it('never takes a cluster of hosts for one in a management cluster', () => {
    const found = {defaultFile: 'trireme.yaml', here: [known('web', {mode: 'agent'})]};
    expect(choose({name: 'web', place: {context: 'prod'}}, found)).toEqual({kind: 'live', name: 'web', place: {context: 'prod'}});
  });

  it('says what is known when nothing is named and no file is here', () => {
    const error = refusal(() => choose({}, {known: [known('berth'), known('web')]}));
    expect(error.code).toBe('usage.invalid');
    expect(error.hints[0]).toBe('Known are: berth, web');
  });

  it('says what was probably meant when there is nowhere to look', () => {
    const error = refusal(() => choose({name: 'wep'}, {known: [known('web')]}));
    expect(error.code).toBe('cluster.not-found');
    expect(error.hints[0]).toBe('Did you mean web?');
  });
});
