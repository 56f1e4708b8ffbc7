#!/usr/bin/env node
// Hands argv to oclif, nothing else; `--version` is answered without loading anything.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`Trireme needs Node 20.19 or newer; this is ${process.version}.\n`);
  process.exit(2);
}

const argv = process.argv.slice(2);
if (argv.length === 1 && argv[0] === '--version') {
  const {readFileSync} = await import('node:fs');
  const {name, version} = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  process.stdout.write(`${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`);
} else {
  // from Node 22.1 on what was compiled once is kept, where there's a place for such things: a tenth of a short command
  const {XDG_CACHE_HOME, HOME = ''} = process.env;
  const cache = XDG_CACHE_HOME || `${HOME}/.cache`;
  if (process.getBuiltinModule('node:fs').existsSync(cache)) process.getBuiltinModule('node:module').enableCompileCache?.(`${cache}/trireme/compiled`);
  const {main} = await import('../dist/commands/base-main.js');
  await main(argv, import.meta.url);
}
