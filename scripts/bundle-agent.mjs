// Bundles the program for hosts into one file, dist/agent/trireme-agent.mjs, and prints its size.
import {mkdirSync, readFileSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';
import {requireShim, withBuiltinsAsValues} from './builtins.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const {version} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const outfile = join(root, 'dist', 'agent', 'trireme-agent.mjs');
// renamed when it's complete: agents may be started from it at this moment
const part = join(root, 'dist', 'agent', `.trireme-agent.${process.pid}.mjs`);

const {outputFiles, metafile} = await build({
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
  banner: {js: requireShim},
  write: false,
  metafile: true,
  logLevel: 'warning',
});

const [{imports}] = Object.values(metafile.outputs);
const ids = imports.filter((one) => one.external && one.kind === 'import-statement').map((one) => one.path);
mkdirSync(dirname(part), {recursive: true});
// the last line says what it is: without an import or export it could be CommonJS
writeFileSync(part, `${withBuiltinsAsValues(outputFiles[0].text, ids)}export {};\n`);
renameSync(part, outfile);
console.log(`${relative(process.cwd(), outfile)}: ${Math.round(statSync(outfile).size / 1024)} KiB`);
