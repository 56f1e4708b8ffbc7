// All steps in order, as the answers so far want them.
import {agentSteps} from './agent-steps.ts';
import type {WizardContext} from './context.ts';
import {controllerSteps} from './controller-steps.ts';
import type {Given, Step} from './flow.ts';
import {fileStep, modeSteps} from './mode-steps.ts';

export function wizardSteps(context: WizardContext, file: string): (given: Given) => readonly Step[] {
  const first = [fileStep(context, file), ...modeSteps(context)];
  const agent = [...first, ...agentSteps(context)];
  const controller = [...first, ...controllerSteps(context)];
  return ({mode}) => (mode === 'controller' ? controller : mode === 'agent' ? agent : first);
}
