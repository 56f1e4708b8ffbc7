// The host's side of an upload: one script that takes many files over one channel, goes on with half-sent ones, verifies, and names at last.
//
// It says      part HEX BYTES     for each half-sent file, then
//              free KIB FILESYSTEM
//              go exact | go acked
// and reads    HEX OFFSET COUNT, COUNT bytes, ...     and a last line `end`; without it the last file counts as cut off, and stays half-sent
// It answers   done HEX | bad HEX for each file (in any order), next after each file's bytes when acked, and `failed HEX` when it can't write.
//
// `exact`: dd takes COUNT bytes and no more. Where dd can't (macOS, busybox), head may read ahead, so the sender waits for `next`.
// Files are verified in bundles while the next ones arrive: a process for each would cost more than its hash.

/** A text as one word of a POSIX shell. */
const word = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

export interface ReceiveOptions {
  /** Absolute folder of the host; below TRIREME_ROOT where that is set. */
  readonly folder: string;
  /** Octal. */
  readonly mode: string;
  /** The name of the one file; absent: each is named by the hex part of its digest. */
  readonly name?: string;
}

const script = String.raw`LC_ALL=C; export LC_ALL; umask 022
d="$ROOT"FOLDER
mkdir -p "$d" && cd "$d" || { echo "failed -"; exit 1; }
space() { df -P -k . | { read -r line; read -r fs size used free rest; echo "free $free $fs"; }; }
for f in .*.trireme-part; do
  [ -f "$f" ] || continue
  h=$STEM; echo "part $BARE $(wc -c <"$f" | tr -d ' ')"
done
space
if dd if=/dev/null of=/dev/null iflag=fullblock,count_bytes count=1 status=none 2>/dev/null; then
  take() { dd bs=1048576 iflag=fullblock,count_bytes count="$1" status=none; }
  acked=; echo 'go exact'
else
  take() { head -c "$1"; }
  acked=y; echo 'go acked'
fi
# sha256sum of coreutils uses no instructions for it, openssl does: a quarter of the time
sums() {
  case $(openssl dgst -sha256 -r /dev/null 2>/dev/null) in e3b0c44298fc1c149afbf4c8996fb924*) openssl dgst -sha256 -r "$@" ;; *) sha256sum "$@" ;; esac
}
# a power cut must find no name without its content: first the files, then their names. An older sync takes no names, and flushes all
flush() { sync "$@" 2>/dev/null || sync; }
check() {
  for h do set -- "$@" ".$h.trireme-part"; shift; done
  chmod MODE "$@"
  flush "$@"
  sums "$@" | {
    named=
    while read -r s f; do
      f=$STARRED; h=$STEM; h=$BARE
      if [ "$s" = "$h" ] && mv -f "$f" NAME; then named="$named $h"; else rm -f "$f"; echo "bad $h"; fi
    done
    [ -z "$named" ] || flush .
    for h in $named; do echo "done $h"; done
  }
}
batch=; bytes=0; last=
while read -r hex offset count; do
  if [ -n "$last" ]; then batch="$batch $last"; fi
  if [ "$bytes" -ge 67108864 ] || [ "$hex" = end ]; then
    if [ -n "$batch" ]; then check $batch & fi
    batch=; bytes=0
  fi
  if [ "$hex" = end ]; then break; fi
  p=".$hex.trireme-part"
  if [ "$offset" = 0 ]; then : >"$p"; fi
  if [ "$count" != 0 ]; then take "$count" >>"$p" || { rm -f "$p"; echo "failed $hex"; space; wait; exit 1; }; fi
  if [ -n "$acked" ]; then echo next; fi
  last=$hex; bytes=$((bytes + offset + count))
done
wait
`;

/** The script that receives. */
export function receiveScript(options: ReceiveOptions): string {
  const {name} = options;
  return script
    .replace('$ROOT', () => '${TRIREME_ROOT-}')
    .replace('FOLDER', () => word(options.folder))
    .replace('$STARRED', () => '${f#[*]}')
    .replaceAll('$STEM', () => '${f%.trireme-part}')
    .replaceAll('$BARE', () => '${h#.}')
    .replace('MODE', () => options.mode)
    .replace('NAME', () => (name === undefined ? '"$h"' : word(name)));
}
