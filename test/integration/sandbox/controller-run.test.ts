import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {trireme} from '../../support/trireme.ts';

test('sandbox run controller makes, scales, upgrades and deletes a cluster, and leaves the files of its person as they are', {timeout: 300_000}, async () => {
  const home = await mkdtemp(join(tmpdir(), 'home-'));
  const temporary = await mkdtemp(join(tmpdir(), 'sandbox-run-'));
  try {
    const kubeconfig = 'apiVersion: v1\nkind: Config\ncurrent-context: mine\n# a comment\n';
    await mkdir(join(home, '.kube'));
    await writeFile(join(home, '.kube/config'), kubeconfig);
    const ran = await trireme(['sandbox', 'run', 'controller', '-o', 'json'], {env: {HOME: home, TMPDIR: temporary}});
    expect(ran.code, ran.stderr).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ok: true, result: {cluster: 'harbour', mode: 'controller', simulated: true, controlPlanes: 1, workers: 2}});
    expect(await readFile(join(home, '.kube/config'), 'utf8')).toBe(kubeconfig);
    expect(await readdir(join(home, '.kube'))).toEqual(['config']);
    expect(await readdir(temporary)).toEqual([]);
  } finally {
    await rm(home, {recursive: true, force: true});
    await rm(temporary, {recursive: true, force: true});
  }
});
