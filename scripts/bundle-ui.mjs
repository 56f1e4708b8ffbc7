// Bundles the screens with Ink and React into one module, so that the dashboard opens quickly: what is imported piece by piece takes 0.6 s longer.
// Used as `node scripts/bundle-ui.mjs FOLDER`; FOLDER/ui/app.js is written over what tsc made of it. Everything outside of src/ui stays where it is.
import {join, relative, sep} from 'node:path';
import {build} from 'esbuild';
import {root} from './tree.mjs';

const target = process.argv[2] ?? join(root, 'dist');
const source = join(root, 'src');
const ui = join(source, 'ui') + sep;

/** The rest of the program must be there once: its classes and stores are compared. */
const outside = {
  name: 'outside-of-ui',
  setup(plugin) {
    // Ink's way to React's developer tools, which are in no package of ours
    plugin.onLoad({filter: /ink[\\/]build[\\/]devtools\.js$/}, () => ({contents: ''}));
    plugin.onResolve({filter: /^\.{1,2}\//}, ({path, resolveDir}) => {
      const file = join(resolveDir, path);
      if (!file.startsWith(source + sep) || file.startsWith(ui)) return undefined;
      return {path: `../${relative(source, file).split(sep).join('/').replace(/\.tsx?$/, '.js')}`, external: true};
    });
  },
};

await build({
  entryPoints: [join(source, 'ui', 'app.tsx')],
  outfile: join(target, 'ui', 'app.js'),
  allowOverwrite: true,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  // names stay readable in stack traces; only white space and syntax shrink
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  jsx: 'automatic',
  // React's development form is slower
  define: {'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"'},
  plugins: [outside],
  banner: {js: "import {createRequire as __createRequire} from 'node:module'; const require = __createRequire(import.meta.url);"},
  logLevel: 'warning',
});
