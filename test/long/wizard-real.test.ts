// The wizard against real hosts: keys are trusted, sudo's password is found, the network that it writes works.
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {parseDocument} from 'yaml';
import {bedConfiguration, upBed, whyNoBed, type Bed} from '../support/bed.ts';
import {missingPublicPlaces, startPublicPlaces, type PublicPlaces} from '../support/public-places.ts';
import {openTerminal} from '../support/terminal.ts';
import {answerAll, enter, pick, write} from '../support/wizard.ts';

const reason = whyNoBed() ?? missingPublicPlaces();

describe.skipIf(reason !== undefined)(`the wizard and real hosts${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let bed: Bed;
  let places: PublicPlaces;
  beforeAll(async () => {
    bed = await upBed({hosts: 2});
    places = await startPublicPlaces();
    await mkdir(bed.home, {recursive: true});
  });
  afterAll(async () => {
    await places?.close();
    await bed?.down();
  });

  it('gets from two hosts to a cluster whose nodes are Ready on the network that it wrote', async () => {
    await writeFile(join(bed.folder, 'known_hosts'), '');
    const password = (await readFile(join(bed.folder, 'sudo-password'), 'utf8')).trim();
    const terminal = openTerminal(['init', '--no-apply', '--name', 'berth'], {
      cwd: bed.work,
      env: {HOME: bed.home, SUDO_PASSWORD: password, TRIREME_SSH_CONFIG: join(bed.folder, 'ssh_config')},
      patience: 60_000,
    });
    await answerAll(terminal, [
      [/Which mode\?/, enter],
      [/Which hosts are control planes\?/, pick('space')],
      [/Which hosts are workers\?/, pick('space')],
      [/Change anything else\?/, enter],
      [/Trust these hosts/, pick('y')],
      [/Where does sudo's password come from\?/, pick('down')],
      [/Which environment variable holds the password\?/, write('SUDO_PASSWORD')],
      [/Where is the Kubernetes API reached\?/, write(bed.address(1))],
      [/Which version of Kubernetes\?/, enter],
      [/Which network do the pods get\?/, enter],
    ]);
    expect(await terminal.exited, terminal.text()).toBe(0);
    expect(terminal.text()).toContain('Wrote trireme.yaml, flannel/profile.yaml, flannel/kube-flannel.yaml for cluster berth.');
    const text = await readFile(join(bed.work, 'trireme.yaml'), 'utf8');
    expect(text + terminal.raw).not.toContain(password);
    // what only these hosts need: an old kernel's settings, and a download place without internet
    const file = parseDocument(text);
    file.setIn(['spec', 'configuration'], bedConfiguration);
    file.setIn(['spec', 'bundle'], {sources: places.sources});
    file.setIn(['spec', 'agent', 'preflight'], {ignore: ['cgroup-v2']});
    await writeFile(join(bed.work, 'trireme.yaml'), String(file));
    const applied = await bed.trireme(['apply', '--yes']);
    expect(applied.code, applied.stderr).toBe(0);
    const kubeconfig = await bed.trireme(['cluster', 'kubeconfig']);
    await bed.ssh(1, `umask 077; cat > /root/fetched.kubeconfig <<'KUBECONFIG'\n${kubeconfig.stdout}\nKUBECONFIG`);
    const ready = await bed.ssh(
      1,
      `kubectl --kubeconfig /root/fetched.kubeconfig get nodes -o jsonpath='{range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status} {end}'`,
    );
    expect(ready.trim()).toBe('h1=True h2=True');
    expect(await bed.ssh(1, "kubectl --kubeconfig /root/fetched.kubeconfig -n kube-flannel get pods -o jsonpath='{.items[*].status.phase}'")).toBe(
      'Running Running',
    );
  }, 600_000);
});
