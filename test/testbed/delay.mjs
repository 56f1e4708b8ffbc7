#!/usr/bin/env node
// A slow cable for SSH, as a ProxyCommand: delay.mjs HOST PORT MS carries standard input and output, each byte MS later than it came. This kernel has no netem.
import {connect} from 'node:net';

const [host, port, ms] = process.argv.slice(2);
const delay = Number(ms);
if (host === undefined || !(Number(port) > 0) || !(delay >= 0)) {
  process.stderr.write('usage: delay.mjs HOST PORT MS\n');
  process.exit(2);
}
/** What is on its way at once, in bytes: a cable holds no more than its rate times its delay. */
const window = 8 * 1024 * 1024;

/** Hands on what comes, in order, as late as the cable is long. */
function carry(from, to) {
  let onTheWay = 0;
  from.on('data', (chunk) => {
    onTheWay += chunk.length;
    if (onTheWay > window) from.pause();
    setTimeout(() => {
      onTheWay -= chunk.length;
      if (!to.destroyed) to.write(chunk);
      if (onTheWay <= window) from.resume();
    }, delay);
  });
  from.on('end', () => setTimeout(() => to.end(), delay));
}

const socket = connect({host, port: Number(port), allowHalfOpen: true}, () => {
  carry(process.stdin, socket);
  carry(socket, process.stdout);
});
socket.setNoDelay(true);
socket.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
socket.on('close', () => setTimeout(() => process.exit(0), delay));
process.stdout.on('error', () => process.exit(0));
