// The file's variables against the class's: every complaint at once, each at its line. Pure.
import {dotted} from '../../../spec/check-schema.ts';
import type {Finding} from '../../../spec/lint/report.ts';
import {nearest} from '../../../spec/nearest.ts';
import type {ControllerSettings} from '../../../spec/schema.ts';
import type {ClassFacts} from './cluster-class.ts';
import {valueProblems} from './value-schema.ts';

type Path = readonly (string | number)[];

/** What is wrong with the variables of the cluster, its control plane and its pools. */
export function checkVariables(controller: ControllerSettings, facts: ClassFacts, given: Readonly<Record<string, unknown>>): readonly Finding[] {
  const at: Path = ['spec', 'controller'];
  return [
    ...checkValues(given, [...at, 'variables'], facts),
    ...missing(controller, given, facts),
    ...checkValues(controller.controlPlane.variables, [...at, 'controlPlane', 'variables'], facts),
    ...controller.pools.flatMap((pool, index) => checkValues(pool.variables, [...at, 'pools', index, 'variables'], facts)),
  ];
}

function checkValues(values: Readonly<Record<string, unknown>> | undefined, at: Path, facts: ClassFacts): Finding[] {
  return Object.entries(values ?? {}).flatMap(([name, value]): Finding[] => {
    const path = [...at, name];
    const variable = facts.variables.find((one) => one.name === name);
    if (variable === undefined) {
      const names = facts.variables.map((one) => one.name);
      const meant = nearest(name, names);
      const known = names.length === 0 ? 'It has none.' : `It has ${names.join(', ')}.`;
      return [
        {
          path,
          atKey: true,
          rule: 'variable.unknown',
          message: `The class ${facts.name} has no variable ${name.slice(0, 80)}.`,
          hint: meant === undefined ? known : `Did you mean ${meant}?`,
        },
      ];
    }
    return valueProblems(value, variable.schema).map((problem) => {
      const whole = `${name}${problem.path.length === 0 ? '' : `${typeof problem.path[0] === 'number' ? '' : '.'}${dotted(problem.path)}`}`;
      const described = variable.schema.description === undefined ? undefined : `${name}: ${variable.schema.description}`;
      const hint = problem.hint ?? described;
      return {
        path: [...path, ...problem.path],
        rule: `variable.${problem.rule}`,
        message: `${whole} ${problem.message}.`,
        ...(hint === undefined ? {} : {hint}),
        ...(problem.atKey === true ? {atKey: true} : {}),
      };
    });
  });
}

/** Required ones that have neither a value nor a default. */
function missing(controller: ControllerSettings, given: Readonly<Record<string, unknown>>, facts: ClassFacts): Finding[] {
  const misspelt = new Set(
    Object.keys(given)
      .filter((name) => facts.variables.every((one) => one.name !== name))
      .map((name) =>
        nearest(
          name,
          facts.variables.map((one) => one.name),
        ),
      ),
  );
  return facts.variables
    .filter(({name, required, schema}) => required && schema.default === undefined && !Object.hasOwn(given, name) && !misspelt.has(name))
    .map(({name, schema}) => ({
      path: controller.variables === undefined ? ['spec', 'controller', 'class'] : ['spec', 'controller', 'variables'],
      atKey: true,
      rule: 'variable.required',
      message: `The class ${facts.name} needs the variable ${name}.`,
      hint: schema.description === undefined ? `Write it into spec.controller.variables: ${example(name, schema.type)}` : `${name}: ${schema.description}`,
    }));
}

function example(name: string, type: string | undefined): string {
  const value = type === 'integer' || type === 'number' ? '1' : type === 'boolean' ? 'true' : type === 'array' ? '[]' : type === 'object' ? '{}' : '…';
  return `{${name}: ${value}}`;
}
