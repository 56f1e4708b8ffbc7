// A connection through a SOCKS5 proxy (RFC 1928), with a name and password where the proxy's address has them (RFC 1929).
import {once} from 'node:events';
import {connect, isIP, type Socket} from 'node:net';

const refusals: Readonly<Record<number, string>> = {
  2: "its rules don't allow the connection",
  3: 'the network is unreachable',
  4: 'the host is unreachable',
  5: 'the connection is refused',
  6: 'the time is up',
  8: "it doesn't know this kind of address",
};

/** The proxy resolves names itself (`socks5h`, and as kubectl does for `socks5` too). */
export async function openSocks(proxy: URL, host: string, port: number, patience: number): Promise<Socket> {
  const socket = connect(Number(proxy.port || 1080), proxy.hostname.replace(/^\[|\]$/g, ''));
  socket.setTimeout(patience, () => socket.destroy(new Error('it is silent')));
  try {
    await once(socket, 'connect');
    const read = reader(socket);
    const hasPassword = proxy.username !== '';
    socket.write(hasPassword ? Buffer.from([5, 2, 0, 2]) : Buffer.from([5, 1, 0]));
    const method = (await read(2))[1];
    if (method === 2 && hasPassword) await signIn(socket, read, proxy);
    else if (method !== 0) throw new Error('it wants another way to sign in');
    socket.write(Buffer.concat([Buffer.from([5, 1, 0]), addressOf(host), Buffer.from([port >> 8, port & 255])]));
    const answer = await read(4);
    if (answer[1] !== 0) throw new Error(refusals[answer[1] ?? 0] ?? `it answers ${answer[1]}`);
    // the address that it is bound to, which nobody needs
    const length = answer[3] === 1 ? 4 : answer[3] === 4 ? 16 : ((await read(1))[0] ?? 0);
    await read(length + 2);
    socket.setTimeout(0);
    return socket;
  } catch (error) {
    socket.destroy();
    throw new Error(`the proxy ${proxy.host} can't be used: ${(error as Error).message}`, {cause: error});
  }
}

async function signIn(socket: Socket, read: (bytes: number) => Promise<Buffer>, proxy: URL): Promise<void> {
  const name = Buffer.from(decodeURIComponent(proxy.username));
  const password = Buffer.from(decodeURIComponent(proxy.password));
  socket.write(Buffer.concat([Buffer.from([1, name.length]), name, Buffer.from([password.length]), password]));
  if ((await read(2))[1] !== 0) throw new Error('it refuses the name and password');
}

function addressOf(host: string): Buffer {
  if (isIP(host) === 4) return Buffer.from([1, ...host.split('.').map(Number)]);
  const name = Buffer.from(host);
  return Buffer.concat([Buffer.from([3, name.length]), name]);
}

/** Exactly so many bytes; what comes after stays in the socket. */
function reader(socket: Socket): (bytes: number) => Promise<Buffer> {
  return async (bytes) => {
    for (;;) {
      const chunk = socket.read(bytes) as Buffer | null;
      if (chunk !== null) return chunk;
      if (socket.readableEnded || socket.destroyed) throw socket.errored ?? new Error('it closed the connection');
      await Promise.race([once(socket, 'readable'), once(socket, 'close')]);
    }
  };
}
