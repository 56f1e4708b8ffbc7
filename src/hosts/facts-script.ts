// The one read-only script that gathers a host's facts: POSIX sh (dash, busybox ash), one channel, few programs, no file written.
import {agentPiece, simulatedFactsPath, type AgentFiles} from './script/agent.ts';
import {frameScript} from './script/frame.ts';
import {kernelPiece} from './script/kernel.ts';
import {networkPiece} from './script/network.ts';
import {programsPiece} from './script/programs.ts';
import {storagePiece} from './script/storage.ts';
import {systemPiece} from './script/system.ts';

export {simulatedFactsPath, type AgentFiles} from './script/agent.ts';

export interface FactsScriptOptions {
  readonly agent: AgentFiles;
  /** The host of the cluster's endpoint; the script looks its name up on the host. */
  readonly endpoint?: string;
  /** Kernel parameters that the file sets: read beside the usual ones. */
  readonly sysctls?: readonly string[];
  /** Folders that must be writable beside the usual ones. */
  readonly folders?: readonly string[];
}

/**
 * The script's text. `boundary` must be a new word (newBoundary); `parseFacts` wants the same. Absolute paths are taken below TRIREME_ROOT when
 * that is set; where such a root has no /proc or /sys, the running kernel's are read.
 */
export function factsScript(options: FactsScriptOptions, boundary: string): string {
  const pieces = [
    systemPiece,
    kernelPiece(options.sysctls ?? []),
    storagePiece([options.agent.program, ...(options.folders ?? [])]),
    networkPiece(options.endpoint),
    programsPiece,
  ];
  return frameScript(boundary, [
    'section clock\nclock start',
    agentPiece(options.agent),
    `if [ -n "$R" ] && [ -r "$R${simulatedFactsPath}" ]; then\nsection simulated\ncat "$R${simulatedFactsPath}"\nelse`,
    ...pieces,
    'fi\nsection clock-end\nclock end',
  ]);
}
