// Loaded before every test file: whoever connects to anything but loopback or a unix socket fails at once, and says so.
import {isIP, Socket} from 'node:net';

const original = Socket.prototype.connect;

function isAllowed(host: string | undefined): boolean {
  if (host === undefined || host === 'localhost' || host.endsWith('.localhost')) return true;
  if (isIP(host) === 0) return host.endsWith('.invalid') || host.endsWith('.test'); // names that never resolve: RFC 2606
  return host.startsWith('127.') || host === '::1' || host === '::ffff:127.0.0.1';
}

Socket.prototype.connect = function connect(this: Socket, ...args: unknown[]): Socket {
  // node:net hands on its own normalized arguments as one array
  const [first, second] = Array.isArray(args[0]) ? (args[0] as unknown[]) : args;
  const options = typeof first === 'object' && first !== null ? (first as {readonly host?: string; readonly path?: string}) : undefined;
  const host = options === undefined ? (typeof second === 'string' ? second : undefined) : options.path === undefined ? options.host : undefined;
  if (!isAllowed(host)) throw new Error(`Tests speak to loopback only, and this one connects to ${host}.`);
  return (original as (...all: unknown[]) => Socket).apply(this, args);
} as typeof original;
