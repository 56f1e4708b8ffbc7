// Bundles the program for hosts into one file, dist/agent/trireme-agent.mjs, and prints its size.
import {readFileSync, renameSync, statSync} from 'node:fs';
import {dirname, join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const {version} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const outfile = join(root, 'dist', 'agent', 'trireme-agent.mjs');
// renamed when it's complete: agents may be started from it at this moment
const part = join(root, 'dist', 'agent', `.trireme-agent.${process.pid}.mjs`);

await build({
  entryPoints: [join(root, 'src', 'agentd', 'main.ts')],
  outfile: part,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  // names stay readable in stack traces; only white space and syntax shrink
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  define: {__AGENT_VERSION__: JSON.stringify(version)},
  // packages that are CommonJS inside call require for node's own modules
  banner: {js: "import {createRequire as __createRequire} from 'node:module'; const require = __createRequire(import.meta.url);"},
  logLevel: 'warning',
});

renameSync(part, outfile);
console.log(`${relative(process.cwd(), outfile)}: ${Math.round(statSync(outfile).size / 1024)} KiB`);
