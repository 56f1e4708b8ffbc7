// Fair measuring: both sides in turn, A B B A, medians and the ratio pair by pair; and one form for all figures.
import {spawn} from 'node:child_process';

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Runs A and B in turn, `runs` times each after the warm-up, and every other time B first, so that a machine that grows slower favours neither.
 * Returns medians in ms and the median of the pairs' ratios.
 */
export async function compare(a, b, {runs = 5, warmUp = 1, between = async () => {}} = {}) {
  const pairs = [];
  for (let run = -warmUp; run < runs; run += 1) {
    const pair = {};
    for (const side of run % 2 === 0 ? ['a', 'b'] : ['b', 'a']) {
      await between();
      pair[side] = await timed(side === 'a' ? a : b);
    }
    if (run >= 0) pairs.push(pair);
  }
  return summaryOf(pairs);
}

/** Medians of pairs of times in ms, and of their ratios. */
export function summaryOf(pairs) {
  const ratios = pairs.map(({a, b}) => a / b);
  return {
    a: median(pairs.map((pair) => pair.a)),
    b: median(pairs.map((pair) => pair.b)),
    ratio: median(ratios),
    worst: Math.max(...ratios),
    best: Math.min(...ratios),
    runs: pairs.length,
  };
}

/** How long the work takes, in ms. */
export async function timed(work) {
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

export function report(title, {a, b, ratio, best, worst, runs}, {goal, digits = 2} = {}) {
  const spread = `${best.toFixed(digits)} to ${worst.toFixed(digits)} in ${runs} pairs`;
  console.log(`${title}\n    ${a.toFixed(0)} ms against ${b.toFixed(0)} ms: ratio ${ratio.toFixed(digits)} (${spread})   ${verdict(ratio, goal)}`);
}

/** The figure's goal, and whether it's met. */
export function verdict(figure, goal) {
  return goal === undefined ? 'no goal' : `goal <= ${goal}: ${figure <= goal ? 'MET' : 'NOT MET'}`;
}
