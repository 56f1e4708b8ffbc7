import {describe, expect, it} from 'vitest';
import {renderPlan, type PlanForText} from '../../../src/output/plan-text.ts';
import {plainStyle} from '../../../src/output/style.ts';

const plan: PlanForText = {
  operation: 'apply',
  subject: 'berth',
  mode: 'agent',
  simulated: false,
  warnings: [],
  hosts: [
    {host: 'h1', role: 'control-plane', state: 'new', effect: 'none', changes: [{path: 'kubernetesVersion', to: 'v1.36.3', effect: 'none'}]},
    {
      host: 'h2',
      role: 'worker',
      state: 'changed',
      effect: 'restart',
      changes: [
        {path: 'node.labels.zone', from: 'a', to: 'b', effect: 'none'},
        {path: 'configuration.kubelet.maxPods', to: 60, effect: 'restart', why: 'the kubelet reads it at its start'},
        {path: 'configuration.sysctls.net.ipv4.ip_forward', from: '1', effect: 'reload'},
      ],
    },
    {host: 'h3', state: 'unchanged', effect: 'none', changes: []},
    {host: 'h4', state: 'unchanged', effect: 'none', changes: []},
    {host: 'h5', state: 'unreachable', effect: 'none', changes: [], reason: 'connection refused on port 22'},
  ],
};

describe('a plan as text', () => {
  it('tells per host what changes, why and what it costs, and what stays', () => {
    expect(renderPlan(plan, {style: plainStyle})).toBe(
      [
        'apply berth (agent mode)',
        '',
        '+ h1 (control-plane): new, effect none',
        '    + kubernetesVersion: v1.36.3',
        '',
        '~ h2 (worker): changed, effect restart',
        '    ~ node.labels.zone: a → b',
        '    + configuration.kubelet.maxPods: 60 [restart] (the kubelet reads it at its start)',
        '    - configuration.sysctls.net.ipv4.ip_forward: 1 [reload]',
        '',
        '✖ h5 is unreachable and will be skipped: connection refused on port 22',
        '',
        'Unchanged: h3, h4',
        '',
        'Plan: 1 new, 1 changed, 2 unchanged, 1 unreachable',
        '  restart: a service of the host restarts; pods keep running',
        '  reload: a setting is read anew; nothing restarts',
      ].join('\n'),
    );
  });

  it('of what leaves tells what goes, and not that something takes its place', () => {
    const gone = [
      {path: 'member', from: 'berth', effect: 'drain' as const},
      {path: 'host', from: 'its data', effect: 'replace' as const},
    ];
    const leaving: PlanForText = {...plan, hosts: [{host: 'h6', role: 'worker', state: 'removed', effect: 'replace', changes: gone}]};
    expect(renderPlan(leaving, {style: plainStyle})).toBe(
      ['apply berth (agent mode)', '', '- h6 (worker): removed', '    - member: berth [drain]', '    - host: its data', '', 'Plan: 1 removed'].join('\n'),
    );
  });

  it('says SIMULATED first when nothing of it is real', () => {
    expect(renderPlan({...plan, simulated: true}, {style: plainStyle})).toMatch(/^SIMULATED apply berth/);
  });

  it('folds the long list of a new host, and shows all of it with -o wide', () => {
    const changes = Array.from({length: 30}, (_, index) => ({path: `content.blob${index}`, to: 'x'.repeat(200), effect: 'none' as const}));
    const long = {...plan, hosts: [{host: 'h1', state: 'new' as const, effect: 'none' as const, changes}]};
    expect(renderPlan(long, {style: plainStyle})).toContain('… and 18 more lines (-o wide shows all)');
    expect(renderPlan(long, {style: plainStyle})).not.toContain('x'.repeat(61));
    expect(renderPlan(long, {style: plainStyle, wide: true})).toContain(`content.blob29: ${'x'.repeat(200)}`);
  });
});
