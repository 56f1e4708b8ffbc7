// Talking with a process of a bench by lines.
import {spawn} from 'node:child_process';
import {createInterface} from 'node:readline';

/** A child that says one JSON value a line. */
export function talkTo(args) {
  const child = spawn(process.execPath, args, {stdio: ['pipe', 'pipe', 'inherit']});
  const waiting = [];
  const said = [];
  const deliver = (value) => (waiting.length > 0 ? waiting.shift().resolve(value) : said.push(value));
  createInterface({input: child.stdout}).on('line', (line) => deliver(JSON.parse(line)));
  child.on('close', (code) => waiting.splice(0).forEach(({reject}) => reject(new Error(`${args[0]} ended with ${code}`))));
  return {child, next: () => (said.length > 0 ? Promise.resolve(said.shift()) : new Promise((resolve, reject) => waiting.push({resolve, reject})))};
}
