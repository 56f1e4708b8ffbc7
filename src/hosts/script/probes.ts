// The second round, for preflight only: connections and pings to addresses that the first round brought to light.
import {frameScript} from './frame.ts';
import {shellWord} from './quote.ts';

export interface ProbeRequest {
  readonly reach: readonly {readonly address: string; readonly port: number}[];
  /** Payloads are tried in order until one gets through. Bytes, without the 28 (IPv4) or 48 (IPv6) of the headers. */
  readonly mtu: readonly {readonly address: string; readonly payloads: readonly number[]}[];
  /** Addresses that were tried: does anybody in this network have them? */
  readonly neighbours: readonly string[];
}

/** How long one connection may take, in s. */
const patience = 2;

const tools = String.raw`
tool=none
if has timeout && has bash; then tool=bash; elif has python3; then tool=python3; elif has nc; then tool=nc; fi
section tool
printf '%s\n' "$tool"
# try ADDRESS PORT: one line, short enough to be written in one piece
try() {
  answer=none
  case "$tool" in
    bash)
      said=$(timeout PATIENCE bash -c 'exec 3<>"/dev/tcp/$1/$2"' probe "$1" "$2" 2>&1)
      case "$?:$said" in 0:*) answer=open;; *"onnection refused"*) answer=refused;; esac;;
    python3)
      answer=$(python3 -c '
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), PATIENCE).close()
    print("open")
except ConnectionRefusedError:
    print("refused")
except OSError:
    print("none")' "$1" "$2");;
    nc)
      said=$(nc -v -z -w PATIENCE "$1" "$2" 2>&1)
      case "$?:$said" in 0:*) answer=open;; *"onnection refused"*) answer=refused;; esac;;
  esac
  printf '%s\t%s\t%s\n' "$1" "$2" "$answer"
}
# fit ADDRESS PAYLOAD...: the largest ping that gets through unfragmented
fit() {
  address=$1; shift
  for size in "$@"; do
    if ping -n -q -c 1 -W 1 -M do -s "$size" "$address" >/dev/null; then printf '%s\t%s\n' "$address" "$size"; return; fi
  done
}
`.replaceAll('PATIENCE', String(patience));

/** The script for one host. All connections run at once, so that it takes as long as the slowest. */
export function probeScript(request: ProbeRequest, boundary: string): string {
  const tries = request.reach.map(({address, port}) => `try ${shellWord(address)} ${port} &`);
  const fits = request.mtu.map(({address, payloads}) => `fit ${shellWord(address)} ${payloads.join(' ')} &`);
  return frameScript(boundary, [
    tools,
    // who had an address a moment ago may be remembered still: it has to be asked for anew
    ...request.neighbours.map((address) => `if has ip; then ip neighbour flush to ${shellWord(address)} >/dev/null 2>&1; fi`),
    'section reach\nif [ "$tool" != none ]; then :',
    ...tries,
    'wait\nfi\nsection mtu\nif has ping; then :',
    ...fits,
    'wait\nfi\nsection neighbours\nif has ip; then :',
    ...request.neighbours.map((address) => `ip -o neighbour show to ${shellWord(address)}`),
    'fi',
  ]);
}
