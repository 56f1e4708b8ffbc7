// Telling systemd that the agent is ready and alive.
//
// Node has no datagram sockets of the unix kind, so the protocol of sd_notify(3) can't be spoken from here. systemd-notify(1) is on every
// host that has systemd; run by root it speaks for its parent, and it waits until systemd has taken the message. It costs 3 ms of CPU; with
// WatchdogSec=120 it is run every 40 s. A helper that stays would cost memory all the time and could outlive a hung event loop,
// which is what the watchdog is there to find.
import {spawn} from 'node:child_process';

type Environment = Readonly<Record<string, string | undefined>>;

/** Says that the agent serves, then keeps the watchdog calm; returns the function that ends it. Does nothing where systemd didn't start us. */
export function notifySystemd(env: Environment = process.env): () => void {
  if (env['NOTIFY_SOCKET'] === undefined) return () => {};
  notify('--ready');
  const limit = Number(env['WATCHDOG_USEC'] ?? 0) / 1000;
  if (!(limit > 0)) return () => {};
  // a timer of the event loop: a loop that hangs doesn't notify
  const timer = setInterval(() => notify('WATCHDOG=1'), limit / 3);
  timer.unref();
  return () => clearInterval(timer);
}

function notify(message: string): void {
  const child = spawn('systemd-notify', [message], {stdio: 'ignore'});
  // without the program systemd restarts us, and says why
  child.on('error', () => {});
}
