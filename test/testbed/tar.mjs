// Writes tar archives (ustar), the same bytes for the same content: root's, dated 1970.

const block = 512;
const padding = size => Buffer.alloc((block - (size % block)) % block);

const header = ({name, mode, size, type, target = ''}) => {
  if (Buffer.byteLength(name) > 100) throw new Error(`${name} is too long for a plain tar header`);
  const bytes = Buffer.alloc(block);
  const octal = (value, length) => value.toString(8).padStart(length - 1, '0') + '\0';
  bytes.write(name, 0);
  bytes.write(octal(mode, 8), 100);
  bytes.write(octal(0, 8), 108);
  bytes.write(octal(0, 8), 116);
  bytes.write(octal(size, 12), 124);
  bytes.write(octal(0, 12), 136);
  bytes.write(' '.repeat(8), 148);
  bytes.write(type, 156);
  bytes.write(target, 157);
  bytes.write('ustar\u000000', 257, 'latin1');
  let sum = 0;
  for (const byte of bytes) sum += byte;
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
};

/** One tar from entries: `{name, content, mode?}` is a file, `{name: 'tmp/', mode?}` a folder, `{name, target}` a symbolic link. */
export const tar = entries => {
  const parts = [];
  for (const {name, content, mode, target} of entries) {
    if (target !== undefined) parts.push(header({name, mode: 0o777, size: 0, type: '2', target}));
    else if (content === undefined) parts.push(header({name, mode: mode ?? 0o755, size: 0, type: '5'}));
    else parts.push(header({name, mode: mode ?? 0o755, size: content.length, type: '0'}), content, padding(content.length));
  }
  parts.push(Buffer.alloc(2 * block));
  return Buffer.concat(parts);
};
