// `${var.NAME}` and `${cluster.NAME}` in manifests. Any other `${...}` is left alone (scripts are full of them); `$${var.NAME}` stands for
// the text `${var.NAME}` itself. Values are put into the nodes of the YAML, not into its text: no value can change the structure.
import {type Scalar, visit} from 'yaml';
import type {Complaint} from './complaint.ts';
import {nearest} from './nearest.ts';
import {locateNode, type YamlDocument} from './yaml-text.ts';

export type VariableValue = string | number | boolean;
/** By full name: `var.backend`, `cluster.name`. */
export type Variables = ReadonlyMap<string, VariableValue>;

const placeholder = /\$?\$\{((?:var|cluster)\.[^}\s]*)\}/g;

export function hasPlaceholder(text: string): boolean {
  return text.search(placeholder) !== -1;
}

/** Fills in a text; `unknown` is told the names that have no value. */
export function fillText(text: string, variables: Variables, unknown: (name: string) => void): string {
  return text.replaceAll(placeholder, (whole, name: string) => {
    if (whole.startsWith('$$')) return whole.slice(1);
    const value = variables.get(name);
    if (value === undefined) unknown(name);
    return value === undefined ? whole : String(value);
  });
}

/** Fills in all scalars of a document, in place. A plain scalar that is one placeholder takes the value's type; in quotes it stays text. */
export function fillDocument(yaml: YamlDocument, variables: Variables): Complaint[] {
  const complaints: Complaint[] = [];
  visit(yaml.document, {
    Scalar: (_key, node) => {
      if (typeof node.value !== 'string' || !hasPlaceholder(node.value)) return;
      const unknown = (name: string) => complaints.push(complainUnknown(yaml, node, name, variables));
      const whole = node.type === 'PLAIN' ? /^\$\{((?:var|cluster)\.[^}\s]*)\}$/.exec(node.value)?.[1] : undefined;
      const typed = whole === undefined ? undefined : variables.get(whole);
      node.value = typed ?? fillText(node.value, variables, unknown);
      // unquoted, a text such as `on` or 1.20 would be read back as something else
      if (typeof node.value === 'string' && node.type === 'PLAIN') node.type = 'QUOTE_DOUBLE';
      delete node.source;
    },
  });
  return complaints;
}

function complainUnknown(yaml: YamlDocument, node: Scalar, name: string, variables: Variables): Complaint {
  const known = [...variables.keys()];
  const meant = nearest(name, known);
  const start = locateNode(node);
  const inside = yaml.source.text.indexOf(`\${${name}}`, start.offset);
  const span = inside === -1 || inside > start.offset + start.length ? start : {offset: inside, length: name.length + 3};
  return yaml.source.complain(span, {
    rule: 'variable.unknown',
    message: `No variable ${name} is declared.`,
    hint: meant === undefined ? `There are ${known.join(', ')}. To keep the text as it is, write $\${${name}}.` : `Did you mean ${meant}?`,
  });
}
