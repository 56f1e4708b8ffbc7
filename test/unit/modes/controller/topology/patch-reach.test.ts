import {readFileSync} from 'node:fs';
import {parse} from 'yaml';
import {describe, expect, it} from 'vitest';
import type {KubeObject} from '../../../../../src/kube/object.ts';
import {readClass, type WorkerClass} from '../../../../../src/modes/controller/topology/cluster-class.ts';
import {reachOf} from '../../../../../src/modes/controller/topology/patch-reach.ts';

const object = parse(readFileSync(new URL('../../../../fixtures/controller/class-with-variables.yaml', import.meta.url), 'utf8')) as KubeObject;
const harbour = readClass(object);
const worker = harbour.workers[0] as WorkerClass;

describe('what a changed variable reaches', () => {
  it('are the workers whose machine template a patch writes it into', () => {
    expect(reachOf(harbour, 'startup', worker).how).toBe('replace');
    expect(reachOf(harbour, 'startup', 'control-plane').how).toBe('none');
  });

  it('are the control planes, also by the condition of a patch', () => {
    expect(reachOf(harbour, 'certSANs', 'control-plane').how).toBe('replace');
    expect(reachOf(harbour, 'certSANs', worker).how).toBe('none');
  });

  it('is nothing for a variable that no patch reads', () => {
    expect(reachOf(harbour, 'size', worker).how).toBe('none');
  });

  it('is in place where only metadata or rollout settings change', () => {
    const spec = structuredClone(object['spec']) as {patches: {definitions: {jsonPatches: {path: string}[]}[]}[]};
    const [startup, sans] = spec.patches;
    if (startup?.definitions[0]?.jsonPatches[0] === undefined || sans?.definitions[0]?.jsonPatches[0] === undefined)
      throw new Error('the fixture has two patches');
    startup.definitions[0].jsonPatches[0].path = '/spec/template/metadata/labels';
    sans.definitions[0].jsonPatches[0].path = '/spec/template/spec/machineTemplate/metadata/labels';
    const changed = readClass({...object, spec});
    expect(reachOf(changed, 'startup', worker).how).toBe('in-place');
    expect(reachOf(changed, 'certSANs', 'control-plane').how).toBe('in-place');
  });

  it('may be everything when an extension makes the patches', () => {
    const spec = {...(object['spec'] as object), patches: [{name: 'outside', external: {generatePatchesExtension: 'x.y'}}]};
    expect(reachOf(readClass({...object, spec}), 'size', worker)).toMatchObject({how: 'replace'});
  });

  it('goes by patterns of worker classes', () => {
    const spec = structuredClone(object['spec']) as {patches: {definitions: {selector: {matchResources: unknown}}[]}[]};
    const [patch] = spec.patches;
    if (patch?.definitions[0] === undefined) throw new Error('the fixture has patches');
    patch.definitions[0].selector.matchResources = {machineDeploymentClass: {names: ['gpu-*']}};
    expect(reachOf(readClass({...object, spec}), 'startup', worker).how).toBe('none');
    patch.definitions[0].selector.matchResources = {machineDeploymentClass: {names: ['default-*']}};
    expect(reachOf(readClass({...object, spec}), 'startup', worker).how).toBe('replace');
  });
});
