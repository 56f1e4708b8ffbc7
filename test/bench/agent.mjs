// The agent at rest: memory and processor time, beside a bare HTTP server on the same Node.
import {spawn} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
import {startSandbox} from '../../build/sandbox/sandbox.js';
import {runProcess, verdict} from './measure.mjs';
import {fileURLToPath} from 'node:url';

const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
/** How long the idle agents are watched, in s. */
const watched = 60;

export async function benchAgent() {
  if (process.platform !== 'linux') return console.log('memory and idle CPU of the agent: skipped, needs /proc');
  const bare = spawn(process.execPath, ['-e', "require('node:http').createServer((q, s) => s.end('ok')).listen(0, '127.0.0.1', () => console.log('up'))"], {stdio: ['ignore', 'pipe', 'ignore']});
  await new Promise((resolve) => bare.stdout.once('data', resolve));
  const sandbox = await startSandbox({controlPlanes: 3, workers: 1});
  try {
    await runProcess(process.execPath, [program, 'apply', '--yes'], {env: {...process.env, ...sandbox.env}});
    console.log(`a bare HTTP server: ${residentMiB(bare.pid).toFixed(0)} MiB`);
    // the first control plane's agent is the simulated API server, too: how little the agent itself does is told by the bench on real hosts
    await tellRest('simulated hosts', sandbox.hosts.map((host) => agentBelow(host.services.pidOf('trireme-agent.service'))));
  } finally {
    await sandbox.stop();
    bare.kill('SIGTERM');
  }
}

/** The agents on real hosts of this computer, which are containers; not those of simulated ones, whose root is a folder. */
export function realAgents() {
  return readdirSync('/proc').filter((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      const words = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
      return words[0].startsWith('/usr/local/lib/trireme/') && words.some((word) => word.endsWith('/trireme-agent.mjs')) && words.includes('run');
    } catch {
      return false;
    }
  });
}

/** Memory and processor time of agents that have nothing to do. */
export async function tellRest(where, pids) {
  const before = pids.map(cpuSeconds);
  await new Promise((resolve) => setTimeout(resolve, watched * 1000));
  const cpu = pids.map((pid, index) => ((cpuSeconds(pid) - before[index]) / watched) * 100);
  const memory = Math.max(...pids.map(residentMiB));
  console.log(`the agent at rest on ${where} (${pids.length} of them, ${watched} s)`);
  console.log(`    memory ${memory.toFixed(0)} MiB at most   ${verdict(memory, 90)}`);
  console.log(`    idle CPU ${Math.max(...cpu).toFixed(2)} % at most (${cpu.map((one) => one.toFixed(2)).join(', ')})   ${verdict(Math.max(...cpu), 0.5)}`);
}

/** The launcher may be a shell whose child is the agent. */
function agentBelow(pid) {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const parent = readFileSync(`/proc/${entry}/stat`, 'utf8').split(') ')[1].split(' ')[1];
      if (Number(parent) === pid && readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes('trireme-agent')) return Number(entry);
    } catch {}
  }
  return pid;
}

function residentMiB(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

/** User and system time of a process so far; the kernel counts in hundredths of a second. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
