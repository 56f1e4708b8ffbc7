// Certificates that this program issued for webhooks aren't renewed by anybody else.
import type {ManagementCheck} from '../check.ts';

const day = 86_400_000;
/** In days. */
const soon = 60;

/** At the time `now`, for tests. */
export function webhookCertificatesAt(now: () => number): ManagementCheck {
  return {
    id: 'webhook-certificates',
    title: "The webhooks' certificates that this program issued are good for a while",
    severity: 'warning',
    of: 'management',
    run: ({ownCertificates}) =>
      ownCertificates
        .map(({secret, expires}) => ({secret, expires, left: (Date.parse(expires) - now()) / day}))
        .filter(({left}) => !(left > soon))
        .map(({secret, expires, left}) => ({
          observed:
            left <= 0
              ? `the certificate in ${secret} ran out on ${expires}`
              : `the certificate in ${secret} runs out on ${expires === '' ? 'a day that it does not say' : expires}`,
          wanted: `more than ${soon} days`,
          remedy: 'trireme provider init --webhook-certificates own makes it anew',
          ...(left <= 0 ? {severity: 'error' as const} : {}),
        })),
  };
}

export const webhookCertificates = webhookCertificatesAt(Date.now);
