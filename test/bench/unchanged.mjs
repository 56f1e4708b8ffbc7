// An apply that finds nothing to do, on many hosts far away, against `ssh HOST true` to all of them in parallel.
import {readFile, writeFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {compare, report, runProcess} from './measure.mjs';
import {talkTo} from './talk.mjs';

const count = 50;
/** In ms. */
const roundTrip = 50;
const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const script = (name) => fileURLToPath(new URL(name, import.meta.url));

export async function benchUnchanged() {
  const bed = talkTo([script('./far-hosts.mjs'), String(count)]);
  let relay;
  try {
    const {folder, file, env, hosts, problem} = await bed.next();
    if (problem !== undefined) throw new Error(`the ${count} hosts got no cluster: ${problem}`);
    relay = talkTo([script('./relay.mjs'), String(roundTrip), ...hosts.map((host) => String(host.port))]);
    const far = await relay.next();
    await moveAway(folder, file, hosts, far);
    const ours = () => runProcess(process.execPath, [program, 'apply', '--yes'], {env: {...process.env, ...env}});
    const theirs = () => Promise.all(hosts.map(({name}) => runProcess('ssh', ['-F', `${folder}/ssh_config`, name, 'true'])));
    const result = await compare(ours, theirs, {runs: 5, warmUp: 1});
    report(`apply without a change on ${count} simulated hosts, ${roundTrip} ms away, against ${count} parallel ssh HOST true`, result);
  } finally {
    relay?.child.stdin.end();
    bed.child.stdin.end();
    await new Promise((resolve) => bed.child.once('exit', resolve));
  }
}

/** Everything that names a host's own port names the relay's instead. */
async function moveAway(folder, file, hosts, far) {
  const moved = (text) => hosts.reduce((all, {port}, index) => all.replaceAll(new RegExp(`(port: |Port |\\]:)${port}\\b`, 'g'), `$1@${far[index]}@`), text).replaceAll(/@(\d+)@/g, '$1');
  for (const path of [file, `${folder}/ssh_config`, `${folder}/known_hosts`]) await writeFile(path, moved(await readFile(path, 'utf8')));
}
