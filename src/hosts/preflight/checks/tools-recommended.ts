// Kubernetes works without these, with worse messages or without port-forward, traffic shaping and connection clean-up.
import type {HostCheck} from '../check.ts';

const recommended = ['conntrack', 'ethtool', 'tc', 'socat', 'ss'];

export const toolsRecommended: HostCheck = {
  id: 'tools-recommended',
  title: 'The recommended programs are there',
  severity: 'warning',
  scope: 'host',
  run: ({facts, family}) => {
    const missing = recommended.filter((tool) => facts.tools[tool] === undefined);
    return missing.length === 0 ? [] : [{observed: `missing: ${missing.join(', ')}`, wanted: recommended.join(', '), remedy: family.install(missing)}];
  },
};
