// Where lint rules put what they find.
import type {Complaint} from '../complaint.ts';
import {locate, type Path, type YamlDocument} from '../yaml-text.ts';

export interface Finding {
  /** From the document's root: `['spec', 'agent', 'hosts', 0, 'role']`. */
  readonly path: Path;
  readonly rule: string;
  readonly message: string;
  readonly hint?: string;
  /** Point at the key instead of the value. */
  readonly atKey?: boolean;
}

export interface FileWarning {
  readonly code: string;
  readonly message: string;
  readonly hints?: readonly string[];
}

/** Collects findings about one document: errors as complaints with their place, warnings as sentences with file and line. */
export class Report {
  readonly document: YamlDocument;
  readonly complaints: Complaint[] = [];
  readonly warnings: FileWarning[] = [];

  constructor(document: YamlDocument) {
    this.document = document;
  }

  error(finding: Finding): void {
    const {path, rule, message, hint} = finding;
    this.complaints.push(
      this.document.source.complain(locate(this.document, path, finding.atKey ? 'key' : 'value'), {rule, message, ...(hint === undefined ? {} : {hint})}),
    );
  }

  warn(finding: Finding): void {
    const {source} = this.document;
    const {line} = source.position(locate(this.document, finding.path, 'key').offset);
    this.warnings.push({
      code: finding.rule,
      message: `${source.file}:${line}: ${finding.message}`,
      ...(finding.hint === undefined ? {} : {hints: [finding.hint]}),
    });
  }
}
