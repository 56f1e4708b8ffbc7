// A long way: forwards connections on loopback and delays whatever goes through, either way, by half a round trip. This kernel has no netem.
import {connect, createServer} from 'node:net';

const [roundTrip, ...ports] = process.argv.slice(2).map(Number);

/** Chunks in order, each half a round trip late; the end, too. */
function delay(from, to) {
  from.on('data', (chunk) => setTimeout(() => to.write(chunk), roundTrip / 2));
  from.on('close', () => setTimeout(() => to.destroy(), roundTrip / 2));
  from.on('end', () => setTimeout(() => to.end(), roundTrip / 2));
  from.on('error', () => {});
}

const listening = await Promise.all(
  ports.map(
    (port) =>
      new Promise((resolve) => {
        const server = createServer({allowHalfOpen: true, noDelay: true, pauseOnConnect: true}, (near) => {
          // the handshake of TCP is a round trip of its own
          setTimeout(() => {
            const far = connect({port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true});
            delay(near, far);
            delay(far, near);
            near.resume();
          }, roundTrip);
        });
        server.listen(0, '127.0.0.1', () => resolve(server.address().port));
      }),
  ),
);
console.log(JSON.stringify(listening));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
