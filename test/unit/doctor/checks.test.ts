import {chmod, mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {checkComputer} from '../../../src/doctor/checks.ts';

describe('the doctor', () => {
  let home = '';
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'trireme-doctor-'));
    await mkdir(join(home, '.ssh'), {mode: 0o700});
  });
  afterEach(() => rm(home, {recursive: true}));

  const look = async (id: string, env: Record<string, string> = {}, node = '22.1.0') =>
    (await checkComputer({env: {HOME: home, ...env}, node})).filter((finding) => finding.id === id);

  it('wants Node 20.19', async () => {
    expect(await look('node', {}, '20.18.1')).toMatchObject([{severity: 'error', remedy: expect.stringContaining('20.19')}]);
    expect(await look('node', {}, '20.19.0')).toMatchObject([{severity: 'ok'}]);
  });

  it.each([
    ['config', 'ssh-config', 0o666],
    ['known_hosts', 'known-hosts', 0o622],
    ['id_ed25519', 'private-keys', 0o644],
  ])('refuses %s that others can get at, and says how to mend it', async (name, id, mode) => {
    const path = join(home, '.ssh', name);
    await writeFile(path, '');
    await chmod(path, mode);
    expect(await look(id)).toMatchObject([{severity: 'error', remedy: `chmod 600 ${path}`}]);
    await chmod(path, 0o600);
    expect(await look(id)).toMatchObject([{severity: 'ok'}]);
  });

  it('tells an SSH agent that answers from a socket that nobody listens on', async () => {
    const socket = join(home, 'agent.sock');
    expect(await look('ssh-agent', {SSH_AUTH_SOCK: socket})).toMatchObject([{severity: 'warning'}]);
    const server = createServer().listen(socket);
    await new Promise((resolve) => server.once('listening', resolve));
    expect(await look('ssh-agent', {SSH_AUTH_SOCK: socket})).toMatchObject([{severity: 'ok'}]);
    server.close();
  });

  it('takes a folder that is yet to be made, and refuses one below a file', async () => {
    expect(await look('state-folder')).toMatchObject([{severity: 'ok'}]);
    await writeFile(join(home, 'file'), '');
    expect(await look('state-folder', {XDG_STATE_HOME: join(home, 'file')})).toMatchObject([{severity: 'error'}]);
  });
});
