// Fair measuring: both sides in turn, A B A B, medians and the ratio pair by pair.
import {spawn} from 'node:child_process';

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Runs A and B in turn, `runs` times each after one warm-up; returns medians in ms and the median of the pairs' ratios. */
export async function compare(a, b, {runs = 5, warmUp = 1, between = async () => {}} = {}) {
  const times = {a: [], b: [], ratios: []};
  for (let run = -warmUp; run < runs; run += 1) {
    await between();
    const tookA = await timed(a);
    await between();
    const tookB = await timed(b);
    if (run < 0) continue;
    times.a.push(tookA);
    times.b.push(tookB);
    times.ratios.push(tookA / tookB);
  }
  return {a: median(times.a), b: median(times.b), ratio: median(times.ratios), worst: Math.max(...times.ratios), best: Math.min(...times.ratios)};
}

async function timed(work) {
  const started = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - started) / 1e6;
}

/** A whole process, its output thrown away; rejects when it fails. */
export function runProcess(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {stdio: 'ignore', ...options});
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${command} ${args.join(' ')} ended with ${code}`))));
  });
}

export function report(title, {a, b, ratio, best, worst}, goal) {
  const verdict = goal === undefined ? '' : `   goal <= ${goal}: ${ratio <= goal ? 'met' : 'MISSED'}`;
  console.log(`${title}\n    ${a.toFixed(0)} ms against ${b.toFixed(0)} ms: ratio ${ratio.toFixed(2)} (${best.toFixed(2)} to ${worst.toFixed(2)})${verdict}`);
}
