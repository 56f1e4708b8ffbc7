// The way to a host's SSH port: straight, or through a program (ProxyCommand).
import {spawn} from 'node:child_process';
import {connect, type Socket} from 'node:net';
import {Duplex} from 'node:stream';

/** Opens a TCP connection; rejects with the system's error, or one with code ETIMEDOUT. */
export function openSocket(host: string, port: number, deadline: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({host, port, noDelay: true});
    const timer = setTimeout(() => socket.destroy(Object.assign(new Error('no answer in time'), {code: 'ETIMEDOUT'})), deadline);
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(gatherWrites(socket));
    });
  });
}

/**
 * ssh2 1.17 writes each packet in three parts (length, content, tag), which would be three system calls and three TCP segments. Gathered until the
 * present turn of the event loop is over they are one.
 */
function gatherWrites(socket: Socket): Socket {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  let isGathering = false;
  socket.write = ((...args: unknown[]) => {
    if (!isGathering) {
      isGathering = true;
      socket.cork();
      process.nextTick(() => {
        isGathering = false;
        socket.uncork();
      });
    }
    return write(...args);
  }) as Socket['write'];
  return socket;
}

/** Starts a ProxyCommand in a shell, as ssh does. `lastWords` is what it said, once it has ended. */
export function openProxyCommand(command: string): {readonly stream: Duplex; lastWords(): Promise<string>} {
  const child = spawn('/bin/sh', ['-c', `exec ${command}`], {stdio: ['pipe', 'pipe', 'pipe']});
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2000)));
  child.stdin.on('error', () => {}); // it may end before us
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stream = Duplex.from({readable: child.stdout, writable: child.stdin});
  stream.on('close', () => child.kill());
  child.on('error', (error) => stream.destroy(error));
  return {
    stream,
    lastWords: async () => {
      child.kill();
      await closed;
      return errors.trim();
    },
  };
}
