// Node's own modules in a bundle. An ES import of one reads every export of it first, getters too: for `process` that makes the standard streams and
// the list of Node's flags, for `crypto` WebCrypto, which together took as long as many commands run. Asked for as values only what's used is read.
import {isBuiltin} from 'node:module';

/** Stands before every chunk: `require` for packages that are CommonJS inside. Few chunks need more of it than Node's own modules. */
export const requireShim = [
  'const __builtin = globalThis.process.getBuiltinModule, __real = () => __builtin("node:module").createRequire(import.meta.url);',
  'const require = Object.assign((id) => __builtin(id) ?? __real()(id), {resolve: (...of) => __real().resolve(...of)});',
].join(' ');

const statement = /(?<=^|[;}\n])import(?:\s*(?<clause>[^"'();]+?)\s*from)?\s*"(?<id>[\w:/]+)";/g;

/** The chunk's text with its imports of `ids`, Node's own modules that it imports, turned into values right after `requireShim`. */
export function withBuiltinsAsValues(text, ids) {
  const found = new Set();
  const declarations = [];
  const rest = text.replaceAll(statement, (whole, clause, id) => {
    if (!isBuiltin(id)) return whole;
    found.add(id);
    if (clause !== undefined) declarations.push(...patternsOf(clause).map((pattern) => `${pattern}=__builtin("${id}")`));
    return '';
  });
  const missed = ids.filter((id) => isBuiltin(id) && !found.has(id));
  if (missed.length > 0) throw new Error(`The bundler writes imports of ${missed.join(', ')} in another way than it did.`);
  return declarations.length === 0 ? rest : rest.replace('\n', () => `\nconst ${declarations.join(',')};\n`);
}

/** `a,{b as c}` as the left sides of assignments. */
function patternsOf(clause) {
  const named = /\{(.*)\}/s.exec(clause)?.[1];
  const whole = clause
    .replace(/\{.*\}/s, '')
    .split(',')
    .map((name) => name.replace(/^\s*\*\s*as\s+/, '').trim());
  const renamed = named?.split(',').map((name) =>
    name
      .trim()
      .replace(/^default as (.*)$/, 'default:$1')
      .replace(/\s+as\s+/, ':'),
  );
  // the default export of such a module is the module itself
  const defaults = (renamed ?? []).filter((name) => name.startsWith('default:')).map((name) => name.slice('default:'.length));
  const others = (renamed ?? []).filter((name) => name !== '' && !name.startsWith('default:'));
  return [...whole.filter((name) => name !== ''), ...defaults, ...(others.length === 0 ? [] : [`{${others.join(',')}}`])];
}
