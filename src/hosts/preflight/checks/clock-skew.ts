// Certificates are "not yet valid" on a host whose clock is behind; etcd's leases and logs suffer from less.
import type {ClusterCheck, Finding} from '../check.ts';

/** ms */
const limit = {error: 30_000, warning: 2000};

export const clockSkew: ClusterCheck = {
  id: 'clock-skew',
  title: "The hosts' clocks agree",
  severity: 'error',
  scope: 'cluster',
  run: ({checked}) => {
    if (checked.length < 2) return [];
    const offsets = checked.map(({facts}) => facts.clockOffset).toSorted((a, b) => a - b);
    const middle = Math.floor(offsets.length / 2);
    const median = offsets.length % 2 === 1 ? (offsets[middle] as number) : ((offsets[middle - 1] as number) + (offsets[middle] as number)) / 2;
    return checked.flatMap(({name, facts, family}): readonly Finding[] => {
      const skew = facts.clockOffset - median;
      if (Math.abs(skew) <= limit.warning) return [];
      return [
        {
          host: name,
          observed: `${(Math.abs(skew) / 1000).toFixed(1)} s ${skew > 0 ? 'ahead of' : 'behind'} the median of the hosts`,
          wanted: `at most ${limit.error / 1000} s apart, better ${limit.warning / 1000} s`,
          remedy:
            facts.timeService === undefined
              ? family.enableTime
              : `look at ${facts.timeService}: ${facts.timeService.startsWith('chrony') ? 'chronyc sources; chronyc makestep' : 'timedatectl timesync-status'}`,
          ...(Math.abs(skew) > limit.error ? {} : {severity: 'warning' as const}),
        },
      ];
    });
  },
};
