// Label selectors as objects write them: meta/v1 LabelSelector.

interface Requirement {
  readonly key?: string;
  readonly operator?: string;
  readonly values?: readonly string[];
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly Requirement[];
}

/** Whether every requirement fits. A selector without any fits everything, as the API has it; an operator that isn't known fits nothing. */
export function fitsSelector(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const {matchLabels = {}, matchExpressions = []} = selector;
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value) && matchExpressions.every((one) => fitsRequirement(one, labels));
}

function fitsRequirement({key = '', operator, values = []}: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}
