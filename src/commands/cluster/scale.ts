import {Flags} from '@oclif/core';
import {TriremeError} from '../../kernel/errors.ts';
import type {Intent} from '../../modes/mode.ts';
import {verbFlags, VerbCommand, waitFlag} from '../base-verb.ts';

export default class ClusterScale extends VerbCommand {
  static override summary = 'Change how many machines a control plane or pools have.';
  static override description =
    'With a file, the file is changed and the cluster follows; without one, the live objects are. A control plane stays odd; a pool that an autoscaler keeps is warned of.';
  static override examples = [
    '<%= config.bin %> cluster scale md-0=5',
    '<%= config.bin %> cluster scale web md-0=5 md-1=0 --control-plane 3 --wait',
    '<%= config.bin %> cluster scale web md-0=5 --context prod -n fleet',
  ];
  static override strict = false;
  static override usage = 'cluster scale [CLUSTER] [POOL=N ...] [--control-plane N]';
  static override flags = {
    ...verbFlags,
    'control-plane': Flags.integer({summary: 'How many control planes: an odd number.', env: 'TRIREME_CONTROL_PLANE', min: 0, max: 99, helpValue: 'N'}),
    wait: waitFlag,
  };

  async run() {
    const {argv, flags} = await this.parse(ClusterScale);
    const {names, pools} = readWords(argv as readonly string[]);
    const controlPlane = flags['control-plane'];
    if (Object.keys(pools).length === 0 && controlPlane === undefined)
      throw new TriremeError('usage.invalid', 'What shall be scaled?', {hints: ['trireme cluster scale POOL=N', 'trireme cluster scale --control-plane N']});
    const intent: Extract<Intent, {verb: 'scale'}> = {verb: 'scale', pools, ...(controlPlane === undefined ? {} : {controlPlane})};
    const target = await this.resolveTarget(flags, names[0] ?? flags.cluster);
    const {planScale} = await import('../../modes/controller/verbs/scale.ts');
    const {scaleEdits} = await import('../../modes/controller/verbs/file-edits.ts');
    return this.runOnFile(target, flags, {
      intent,
      wait: flags.wait,
      plan: (live) => planScale(live, intent, {wait: flags.wait}),
      edits: (cluster) => scaleEdits(cluster, intent),
    });
  }
}

function readWords(words: readonly string[]): {readonly names: readonly string[]; readonly pools: Readonly<Record<string, number>>} {
  const names = words.filter((word) => !word.includes('='));
  if (names.length > 1) throw new TriremeError('usage.invalid', `One cluster at a time: ${names.join(', ')}.`, {hints: ['A pool is written POOL=N']});
  const pools = words
    .filter((word) => word.includes('='))
    .map((word) => {
      const match = /^([^=]+)=(\d{1,6})$/.exec(word);
      if (match?.[1] === undefined) throw new TriremeError('usage.invalid', `A pool and its size are written POOL=N, not ${word}.`);
      return [match[1], Number(match[2])] as const;
    });
  return {names, pools: Object.fromEntries(pools)};
}
