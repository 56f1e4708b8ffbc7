// Bundles the program with its packages into dist/: an entry a command, and what they share in chunks. Loading some 700 small files took
// longer than running most commands.
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join, relative} from 'node:path';
import {build} from 'esbuild';
import {requireShim, withBuiltinsAsValues} from './builtins.mjs';
import {filesBelow, root} from './tree.mjs';

/** Stay packages: native code, what only few people install, and what is looked up by its folder. */
const external = ['ssh2', 'cpu-features', '@aws-sdk/*', 'react-devtools-core'];

/** What packages bring along and nobody uses: it would be read at every start. */
const lighter = {
  name: 'lighter',
  setup(plugin) {
    // zod speaks English to us
    plugin.onLoad({filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/}, () => ({contents: "export {default as en} from './en.js';"}));
    // Yoga's code is in its file; trying to fetch it first loads node's whole HTTP client, and it decodes its file letter by letter
    plugin.onLoad({filter: /yoga-wasm-base64-esm\.js$/}, ({path}) => {
      const before = readFileSync(path, 'utf8');
      const local = before.replaceAll(/"function"\s*[!=]==?\s*typeof fetch|typeof fetch\s*[!=]==?\s*"function"/g, (test) => String(test.includes('!')));
      if (local === before) throw new Error(`${path} looks for fetch in another way than it did`);
      const contents = local.replace(/^function wa\(\)\{.*$/m, "function wa(){return Buffer.from(H.slice(H.indexOf(',')+1),'base64')}");
      if (contents === local) throw new Error(`${path} decodes its code in another way than it did`);
      return {contents};
    });
    // how a text falls into letters is a table that takes longer to read than most commands take to run: it's read with the first text that needs it
    plugin.onLoad({filter: /(slice-ansi[\\/]tokenize-ansi|ansi-tokenize[\\/]build[\\/]tokenize)\.js$/}, ({path}) => ({
      contents: lazySegmenter(readFileSync(path, 'utf8'), path),
    }));
    // oclif's modules all require each other, its help and its spinners, when they are read; most commands need few of them
    plugin.onLoad({filter: /@oclif[\\/]core[\\/]lib[\\/].*\.js$/}, ({path}) => ({
      contents: withoutWsl(sorted(lateRequires(readFileSync(path, 'utf8')), path), path),
    }));
    // all emoji as one expression take longer to read than most commands take to run: they are made when a text isn't plain
    plugin.onLoad({filter: /string-width[\\/]index\.js$/}, ({path}) =>
      path === stringWidth ? {contents: lazyWidths(readFileSync(path, 'utf8'), path)} : undefined,
    );
    // Ink's way to React's developer tools, which are in no package of ours
    plugin.onLoad({filter: /ink[\\/]build[\\/]devtools\.js$/}, () => ({contents: ''}));
  },
};

/** What oclif needs for help, for spinners and to find commands where there's no manifest: it stays where oclif is installed. */
const seldom = ['cli-spinners', 'ejs', 'lilconfig', 'minimatch', 'tinyglobby'];

/** `const x_1 = require("./x")`, as TypeScript writes it, required with the first use of `x_1`. */
function lateRequires(source) {
  const late = (make) => `new Proxy({}, {get: (_, key) => (${make})[key], has: (_, key) => key in (${make})})`;
  const fromOclif = (id) => `require(require.resolve("${id}", {paths: [require.resolve("@oclif/core")]}))`;
  return source
    .replaceAll(/^const (\w+_\d+) = ((?:__importDefault\()?require\("[^"]+"\)\)?);$/gm, (_, name, make) => `const ${name} = ${late(make)};`)
    .replaceAll(/require\(["']([\w-]+)["']\)/g, (call, id) => (seldom.includes(id) ? fromOclif(id) : call))
    .replace(/^checkNodeVersion\(\);$/m, ''); // bin/run.js has looked
}

/** By code points is as good for ids of commands, and needn't load how languages sort. */
function sorted(source, path) {
  if (!/config[\\/]plugin\.js$/.test(path)) return source;
  const contents = source.replace('a.id.localeCompare(b.id)', '(a.id < b.id ? -1 : a.id > b.id ? 1 : 0)');
  if (contents === source) throw new Error(`${path} sorts commands in another way than it did`);
  return contents;
}

/** Linux is Linux for us, inside Windows too: finding out takes four more modules. */
function withoutWsl(source, path) {
  if (!/util[\\/]os\.js$/.test(path)) return source;
  const contents = source.replace("(await import('wsl-utils')).isWsl ? 'wsl' : ", '');
  if (contents === source) throw new Error(`${path} asks for Windows' Linux in another way than it did`);
  return contents;
}

const stringWidth = join(root, 'node_modules', 'string-width', 'index.js');
/** Letters, arrows, boxes and ticks, as our own symbols are, take a cell each; only other texts are worth the whole of Unicode. */
const narrow = String.raw`/^[\u0020-\u007E\u00A0-\u00AC\u00AE-\u02FF\u2010-\u2027\u2030-\u203A\u2190-\u2199\u2500-\u25FC\u2713-\u2718\u276F]*$/`;

/** Of printable ASCII each is a letter of its own; who asks for more than all letters in turn (`containing`) needs the table. */
const ascii = String.raw`/^[\u0020-\u007E]*$/`;

function lazySegmenter(source, path) {
  const letters = source.includes('.containing(') ? '' : `${ascii}.test(text) ? Array.from(text, (segment, index) => ({segment, index})) : `;
  const lazy = source.replace(
    /^const (\w+) = (new Intl\.Segmenter\(.*\));$/m,
    (_, name, made) => `let made_${name};\nconst ${name} = {segment: (text) => ${letters}(made_${name} ??= ${made}).segment(text)};`,
  );
  if (lazy === source) throw new Error(`${path} takes texts apart in another way than it did`);
  return lazy;
}

function lazyWidths(source, path) {
  const lazy = lazySegmenter(source, path)
    .replaceAll(
      /^const (\w+) = (\/.*\/v);$/gm,
      (_, name, made) =>
        `let made_${name};\nconst ${name} = {test: (text) => (made_${name} ??= ${made}).test(text), [Symbol.search]: (text) => (made_${name} ??= ${made})[Symbol.search](text)};`,
    )
    .replace(String.raw`/^[\u0020-\u007E]*$/`, () => narrow);
  if (!['made_rgiEmojiRegex', 'made_visibleCharacterRegex', narrow].every((part) => lazy.includes(part)))
    throw new Error(`${path} finds widths in another way than it did`);
  return lazy;
}

const isEntry = (path) => /\.tsx?$/.test(path) && !/\/base-[^/]+$/.test(path);

/** Where every run begins, and all that it needs to begin. */
const start = 'src/commands/base-main.ts';

const options = {
  absWorkingDir: root,
  outbase: 'src',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  jsx: 'automatic',
  external,
  chunkNames: 'chunks/[name]-[hash]',
  // names stay readable in stack traces; only white space and syntax shrink
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'eof',
  define: {'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"'},
  // packages that are CommonJS inside call require for node's own modules, and ask for their folder
  banner: {
    js: `${requireShim} const __filename = import.meta.filename, __dirname = import.meta.dirname;`,
  },
  // its main build is CommonJS, which an import() of a bundle finds no names in
  alias: {yaml: join(root, 'node_modules/yaml/browser/index.js')},
  write: false,
  metafile: true,
  logLevel: 'warning',
};

/** Writes into `folder`; returns the written paths, relative to it. */
export async function bundleProgram(folder) {
  const entryPoints = [...filesBelow('src/commands').filter(isEntry), start, 'src/output/help.ts'];
  const plugins = [lighter, startsFirst(await modulesOfStart(folder))];
  const {outputFiles, metafile} = await build({...options, entryPoints, outdir: folder, plugins});
  refuseLateCommonJs(metafile);
  for (const {path, text} of outputFiles) {
    const {imports} = metafile.outputs[relative(root, path)];
    const ids = imports.filter((one) => one.external && one.kind === 'import-statement').map((one) => one.path);
    mkdirSync(dirname(path), {recursive: true});
    writeFileSync(path, withBuiltinsAsValues(text, ids));
  }
  return outputFiles.map(({path}) => path.slice(folder.length + 1));
}

/** The modules that are read before any command is. */
async function modulesOfStart(folder) {
  const {metafile} = await build({...options, entryPoints: [start], outdir: folder, plugins: [lighter]});
  const found = new Set();
  const follow = (path) => {
    if (found.has(path)) return;
    found.add(path);
    for (const one of metafile.inputs[path].imports) if (!one.external && one.kind !== 'dynamic-import') follow(one.path);
  };
  follow(start);
  return found;
}

/** Every other module of ours imports the start: what it's made of is then needed by all alike, and the bundler puts it into few chunks, not into one for each way of sharing. */
function startsFirst(modules) {
  return {
    name: 'starts-first',
    setup(plugin) {
      plugin.onLoad({filter: /[\\/]src[\\/].*\.tsx?$/}, ({path}) => {
        if (modules.has(relative(root, path))) return undefined;
        return {contents: `import ${JSON.stringify(join(root, start))};\n${readFileSync(path, 'utf8')}`, loader: path.endsWith('x') ? 'tsx' : 'ts'};
      });
    },
  };
}

/** A CommonJS module that is loaded by import() has only a default export in a bundle, other than in Node: `const {parse} = await import(…)` is undefined. */
function refuseLateCommonJs({inputs}) {
  const own = Object.entries(inputs).filter(([path]) => path.startsWith('src/'));
  const late = own.flatMap(([path, {imports}]) =>
    imports.filter((one) => one.kind === 'dynamic-import' && inputs[one.path]?.format === 'cjs').map((one) => `${path} loads ${one.path}`),
  );
  if (late.length > 0) throw new Error(`CommonJS by import(): name an ES module's build of it as an alias in scripts/bundle-program.mjs.\n${late.join('\n')}`);
}

if (import.meta.filename === process.argv[1]) {
  const [folder] = process.argv.slice(2);
  writeFileSync(join(folder, '.files.json'), JSON.stringify(await bundleProgram(folder)));
}
