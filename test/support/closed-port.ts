// A port of loopback at which nobody listens.
import {once} from 'node:events';
import {connect, createServer, type AddressInfo} from 'node:net';

export interface ClosedPort {
  readonly port: number;
  /** May be called again. */
  free(): Promise<void>;
}

/** The near end of a connection, so that nobody else is given the port until `free`: one that is only let go of may be somebody's in the next moment. */
export async function closedPort(): Promise<ClosedPort> {
  const server = createServer((far) => far.on('error', () => {})).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  return {
    port: socket.localPort as number,
    free: async () => {
      // without a farewell: after one nobody may listen there for a minute
      socket.resetAndDestroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
