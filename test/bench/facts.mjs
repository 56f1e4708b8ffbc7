// Facts of 8 hosts against 8 parallel `ssh host true`: connecting included, on both sides.
import {compare, report, runProcess} from './measure.mjs';
import {startServers, whyNoServers} from './servers.mjs';

const count = 8;

export async function benchFacts() {
  const reason = whyNoServers();
  if (reason !== undefined) return console.log(`facts of ${count} hosts: skipped, ${reason}`);
  const {openRunner} = await import('../../build/ssh/ssh-runner.js');
  const {gatherFacts} = await import('../../build/hosts/gather-facts.js');
  const bed = await startServers(count);
  try {
    const targets = bed.servers.map(({name}) => ({host: name, address: name, configFile: `${bed.folder}/ssh_config`}));
    const agent = {program: '/usr/local/lib/trireme', seen: '/var/lib/trireme/seen.json', lock: '/var/lib/trireme/lock.json', content: '/var/lib/trireme/content/sha256', socket: '/run/trireme/agent.sock'};
    const ours = async () => {
      const runners = [];
      const open = async (target) => {
        const runner = await openRunner(target);
        runners.push(runner);
        return runner;
      };
      const observations = await gatherFacts(targets, {open, script: {agent}, concurrency: count});
      for (const {host, problem} of observations) if (problem !== undefined) throw new Error(`${host}: ${problem.message}`);
      await Promise.all(runners.map((runner) => runner.close()));
    };
    const theirs = () => Promise.all(bed.servers.map(({name}) => runProcess('ssh', ['-F', `${bed.folder}/ssh_config`, name, 'true'])));
    report(`facts of ${count} hosts against ${count} parallel ssh HOST true`, await compare(ours, theirs, {runs: 9, warmUp: 2}), {goal: 1.3});
  } finally {
    await bed.close();
  }
}
