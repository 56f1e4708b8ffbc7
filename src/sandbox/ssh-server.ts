// An SSH server in this process, on loopback: the door of a simulated host. Commands run in real shells.
import {spawn, type ChildProcess} from 'node:child_process';
import {createHash, timingSafeEqual} from 'node:crypto';
import {once} from 'node:events';
import {connect, type AddressInfo, type Socket} from 'node:net';
import type {Connection, ParsedKey, Server, ServerChannel} from 'ssh2';

export interface SshServerOptions {
  readonly user: string;
  /** Public keys that may log in, as lines of authorized_keys. */
  readonly authorizedKeys: readonly string[];
  /** The host's private key in OpenSSH format. */
  readonly hostKey: string;
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Where commands start. */
  readonly home: string;
  /** Environment of commands; nothing is inherited but PATH's own meaning. */
  readonly env: Readonly<Record<string, string>>;
  readonly faults?: SshFaults;
}

/** What a test may break. Read at each use, so it can be changed while the server runs. */
export interface SshFaults {
  /** Delay before an accepted command starts, in ms. */
  latency?: number;
  /** Nobody may log in. */
  refuseLogins?: boolean;
  /** The connection breaks after so many bytes of a command's input. */
  dropAfterBytes?: number;
  /** As a jump host it forwards nothing. */
  refuseForwarding?: boolean;
  /** More channels than this on one connection are refused, as MaxSessions does. */
  maxSessions?: number;
  /** Printed before every command's own output, as a careless shell profile does. */
  noise?: string;
}

export interface RunningSshServer {
  readonly port: number;
  /** Commands run so far. */
  readonly commands: readonly string[];
  /** Connections made so far. */
  readonly connected: number;
  /** Breaks every open connection. */
  dropConnections(): void;
  close(): Promise<void>;
}

/** Starts the server on 127.0.0.1. */
export async function startSshServer(options: SshServerOptions): Promise<RunningSshServer> {
  const {default: ssh2} = await import('ssh2');
  const keys = options.authorizedKeys.map((line) => parsed(ssh2.utils.parseKey(line)));
  const connections = new Set<Connection>();
  const sockets = new Set<Socket>();
  const children = new Set<ChildProcess>();
  const commands: string[] = [];
  const sessions = new Map<Connection, number>();
  let connected = 0;

  const server: Server = new ssh2.Server({hostKeys: [options.hostKey], ident: 'TriremeSimulated'}, (connection) => {
    connections.add(connection);
    connected += 1;
    sessions.set(connection, 0);
    connection.on('close', () => {
      connections.delete(connection);
      sessions.delete(connection);
    });
    connection.on('error', () => {}); // a client that leaves without a word
    connection.on('authentication', (context) => {
      if (options.faults?.refuseLogins === true || context.username !== options.user) return context.reject(['publickey']);
      if (context.method !== 'publickey') return context.reject(['publickey']);
      const key = keys.find((known) => known.type === context.key.algo && sameBytes(known.getPublicSSH(), context.key.data));
      if (key === undefined) return context.reject(['publickey']);
      if (context.signature !== undefined && key.verify(context.blob as Buffer, context.signature, context.hashAlgo) !== true)
        return context.reject(['publickey']);
      context.accept();
    });
    connection.on('tcpip', (accept, reject, {destIP, destPort}) => {
      if (options.faults?.refuseForwarding === true) return reject();
      const onward = connect(destPort, destIP);
      onward.once('error', () => reject());
      onward.once('connect', () => {
        const channel = accept();
        sockets.add(onward);
        onward
          .removeAllListeners('error')
          .on('error', () => channel.close())
          .on('close', () => sockets.delete(onward));
        channel.on('error', () => onward.destroy()).on('close', () => onward.destroy());
        channel.pipe(onward).pipe(channel);
      });
    });
    connection.on('session', (accept, reject) => {
      if (options.faults?.maxSessions !== undefined && sessions.get(connection)! >= options.faults.maxSessions) return reject();
      sessions.set(connection, (sessions.get(connection) ?? 0) + 1);
      const session = accept();
      session.on('env', (acceptEnv) => acceptEnv?.());
      session.on('pty', (acceptPty) => acceptPty?.());
      session.on('exec', (acceptExec, _reject, {command}) => {
        commands.push(command);
        runCommand(acceptExec(), command, connection);
      });
      session.on('shell', (acceptShell) => runCommand(acceptShell(), 'exec /bin/sh -i', connection));
    });
  });
  const raw = (server as unknown as {_srv: {on(event: 'connection', listener: (socket: Socket) => void): void}})._srv;
  raw.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });

  function runCommand(channel: ServerChannel, command: string, connection: Connection): void {
    const start = () => {
      const child = spawn('/bin/sh', ['-c', command], {cwd: options.home, env: {...options.env}, stdio: 'pipe'});
      children.add(child);
      let received = 0;
      channel.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (options.faults?.dropAfterBytes !== undefined && received > options.faults.dropAfterBytes) connection.end();
      });
      if (options.faults?.noise !== undefined) channel.write(options.faults.noise);
      channel.pipe(child.stdin);
      child.stdin.on('error', () => {});
      child.stdout.pipe(channel, {end: false});
      child.stderr.pipe(channel.stderr, {end: false});
      child.on('error', () => channel.end());
      child.on('close', (code, signal) => {
        children.delete(child);
        sessions.set(connection, (sessions.get(connection) ?? 1) - 1);
        if (signal === null) channel.exit(code ?? 1);
        else channel.exit(signal.replace(/^SIG/, ''));
        channel.end();
      });
      // what sshd does when the client goes away: the command's pipes close
      channel.on('close', () => child.stdin.destroy());
    };
    if (options.faults?.latency === undefined) start();
    else setTimeout(start, options.faults.latency);
  }

  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const dropConnections = () => {
    for (const socket of sockets) socket.destroy();
    for (const connection of connections) connection.end();
  };
  return {
    port: (server.address() as AddressInfo).port,
    commands,
    get connected() {
      return connected;
    },
    dropConnections,
    close: async () => {
      for (const child of children) child.kill('SIGTERM');
      dropConnections();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

function parsed(key: ParsedKey | Error | readonly (ParsedKey | Error)[]): ParsedKey {
  const one = Array.isArray(key) ? key[0] : key;
  if (one === undefined || one instanceof Error) throw one ?? new Error('there is no key');
  return one as ParsedKey;
}

/** Equal length or not, in constant time. */
function sameBytes(a: Buffer, b: Buffer): boolean {
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest();
  return timingSafeEqual(digest(a), digest(b));
}
