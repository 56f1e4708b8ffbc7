// Clocks that agree today drift apart without a service that keeps them.
import type {HostCheck} from '../check.ts';

export const timeService: HostCheck = {
  id: 'time-service',
  title: 'A time service keeps the clock',
  severity: 'warning',
  scope: 'host',
  run: ({facts, family}) => {
    if (facts.clockSynchronized === true) return [];
    const wanted = 'systemd-timesyncd, chrony or ntpd, in step with a server';
    if (facts.timeService === undefined) return [{observed: 'no time service is active', wanted, remedy: family.enableTime}];
    if (facts.clockSynchronized === undefined) return [];
    return [
      {
        observed: `${facts.timeService} is active but not in step with a server`,
        wanted,
        remedy: `give it servers that the host reaches (UDP 123), then: systemctl restart ${facts.timeService}`,
      },
    ];
  },
};
