// Certificates and leases are judged by two clocks.
import type {ManagementCheck} from '../check.ts';

/** In ms. */
const limit = 30_000;

export const clockSkew: ManagementCheck = {
  id: 'clock-skew',
  title: "The management cluster's clock agrees with this computer's",
  severity: 'warning',
  of: 'management',
  run: ({clockSkew: skew}) =>
    skew === undefined || Math.abs(skew) <= limit
      ? []
      : [
          {
            observed: `its clock is ${Math.round(Math.abs(skew) / 1000)} s ${skew > 0 ? 'ahead of' : 'behind'} this computer's`,
            wanted: `at most ${limit / 1000} s apart`,
            remedy: 'Have both set by NTP: timedatectl status',
          },
        ],
};
