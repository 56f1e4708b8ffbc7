// `npm run show -- keel-1`: runs one line of what an issue must show. Without a name it lists them.
import {spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';

const shows = JSON.parse(readFileSync(new URL('../test/shows.json', import.meta.url), 'utf8'));
const name = process.argv[2];
if (name === undefined) {
  for (const [id, {title, command}] of Object.entries(shows)) console.log(`${id.padEnd(9)} ${title}\n          ${command}`);
} else if (shows[name] === undefined) {
  console.error(`There's no ${name}. Names: ${Object.keys(shows).join(', ')}`);
  process.exitCode = 2;
} else {
  console.log(`${shows[name].title}\n$ ${shows[name].command}`);
  process.exitCode = spawnSync('bash', ['-c', shows[name].command], {stdio: 'inherit'}).status ?? 1;
}
