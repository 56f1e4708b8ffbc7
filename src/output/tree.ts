// Trees for people: one node a line, branches drawn before it.
import {sanitizeLine} from './sanitize.ts';
import type {Style} from './style.ts';

export interface TreeNode {
  /** Sanitized here. */
  readonly label: string;
  /** Colours the finished label. */
  paint?(text: string): string;
  readonly children?: readonly TreeNode[];
}

/** The tree as text, without a newline at its end. */
export function renderTree(node: TreeNode, style: Style): string {
  return [labelOf(node), ...branches(node.children ?? [], '', style)].join('\n');
}

function branches(nodes: readonly TreeNode[], before: string, style: Style): readonly string[] {
  const {branch, lastBranch, trunk} = style.symbols;
  return nodes.flatMap((node, index) => {
    const isLast = index === nodes.length - 1;
    return [
      `${before}${style.color.dim(isLast ? lastBranch : branch)}${labelOf(node)}`,
      ...branches(node.children ?? [], before + (isLast ? ' '.repeat(trunk.length) : style.color.dim(trunk)), style),
    ];
  });
}

function labelOf(node: TreeNode): string {
  const text = sanitizeLine(node.label);
  return node.paint === undefined ? text : node.paint(text);
}
