// The programs of a simulated host that can't be this computer's own: sudo, systemctl, and what macOS lacks.
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';

export interface ShimOptions {
  readonly folder: string;
  /** File with the password that sudo wants; absent: it wants none. */
  readonly sudoPasswordFile?: string;
  /** The service manager, and where it says what runs; absent: a host without systemd. */
  readonly systemctl?: {readonly socket: string; readonly running: string};
}

const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

// sudo's own ways: -S reads lines from standard input, up to three; what it says is in the C locale
const sudo = (passwordFile: string | undefined) =>
  String.raw`#!/bin/sh
reads= never= prompt='[sudo] password: '
while [ $# -gt 0 ]; do
  case $1 in
    -k|-E|-H) ;;
    -S) reads=yes ;;
    -n) never=yes ;;
    -p) prompt=$2; shift ;;
    -u) shift ;;
    --) shift; break ;;
    *) break ;;
  esac
  shift
done
[ $# -gt 0 ] || exit 0
wanted=PASSWORD_FILE
if [ -n "$wanted" ]; then
  if [ -n "$never" ] || [ -z "$reads" ]; then echo 'sudo: a password is required' >&2; exit 1; fi
  tries=0
  IFS= read -r expected <"$wanted"
  while :; do
    printf %s "$prompt" >&2
    if ! IFS= read -r given; then
      echo 'sudo: no password was provided' >&2
      [ "$tries" -eq 0 ] || echo "sudo: $tries incorrect password attempt" >&2
      exit 1
    fi
    [ "$given" != "$expected" ] || break
    tries=$((tries + 1))
    echo wrong >>"$wanted.tries"
    if [ "$tries" -ge 3 ]; then echo 'sudo: 3 incorrect password attempts' >&2; exit 1; fi
    echo 'Sorry, try again.' >&2
  done
fi
exec "$@"
`.replace('PASSWORD_FILE', () => (passwordFile === undefined ? "''" : quoted(passwordFile)));

// what is asked for most often starts no program: fifty hosts on one computer are looked at together
const systemctl = (socket: string, running: string) => `#!/bin/sh
if [ "$1 $#" = 'is-active 2' ]; then
  case $2 in *.*) unit=$2 ;; *) unit=$2.service ;; esac
  if read -r pid 2>/dev/null <${quoted(running)}/"$unit" && kill -0 "$pid" 2>/dev/null; then echo active; exit 0; fi
  echo inactive
  exit 3
fi
exec ${quoted(process.execPath)} -e ${quoted(`
const socket = require('node:net').connect(process.argv[1]);
let text = '';
socket.on('error', (error) => { console.error('systemctl: ' + error.message); process.exit(1); });
socket.setEncoding('utf8').on('data', (chunk) => { text += chunk; }).on('end', () => {
  const {code, stdout, stderr} = JSON.parse(text);
  process.stdout.write(stdout ?? '');
  process.stderr.write(stderr ?? '');
  process.exitCode = code;
});
socket.write(JSON.stringify(process.argv.slice(2)) + '\\n');
`)} ${quoted(socket)} "$@"
`;

const sha256sum = `#!/bin/sh
if [ -x /usr/bin/sha256sum ]; then exec /usr/bin/sha256sum "$@"; fi
if [ -x /bin/sha256sum ]; then exec /bin/sha256sum "$@"; fi
exec shasum -a 256 "$@"
`;

/** Writes the programs into `folder`, which comes first on the host's PATH. */
export async function writeShims(options: ShimOptions): Promise<void> {
  await mkdir(options.folder, {recursive: true});
  const programs: Record<string, string> = {sudo: sudo(options.sudoPasswordFile), sha256sum};
  if (options.systemctl !== undefined) programs['systemctl'] = systemctl(options.systemctl.socket, options.systemctl.running);
  for (const [name, text] of Object.entries(programs)) await writeFile(join(options.folder, name), text, {mode: 0o755});
}
