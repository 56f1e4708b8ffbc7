// What a person can do, as data: each row names the command that does it, and the screens know nothing else of it.
import type {RunOutcome} from '../kernel/event.ts';
import type {RunState} from '../fleet/run-rows.ts';
import type {ClusterView, Verb} from '../modes/mode.ts';

/** Where a cluster is described and kept: what its commands need to be told. */
export interface ClusterPlace {
  readonly name: string;
  readonly mode: string;
  /** Absolute paths of the files that describe it; empty where none is known. */
  readonly files: readonly string[];
  /** Controller mode: absolute path of the management cluster's kubeconfig. */
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** What an action is about. In agent and appliance mode a machine is a host. */
export type Subject =
  | {readonly about: 'fleet'}
  | {readonly about: 'cluster'; readonly cluster: ClusterPlace; readonly view?: ClusterView}
  | {readonly about: 'machine'; readonly cluster: ClusterPlace; readonly machine: string; readonly view?: ClusterView}
  | {
      readonly about: 'run';
      readonly run: string;
      readonly state: RunState;
      readonly outcome?: RunOutcome;
      readonly isSuperseded?: boolean;
      readonly cluster: ClusterPlace;
    };

/** What has to be known before an action begins. Each input is one argument or flag of the command. */
export type ActionInput =
  /** Numbers of machines: `POOL=N` for each pool that shall change, and `--control-plane N`. */
  | {readonly kind: 'counts'; readonly id: string; readonly title: string}
  /** Text for a flag; left out when empty. */
  | {
      readonly kind: 'text';
      readonly id: string;
      readonly title: string;
      readonly flag: string;
      readonly preset?: string;
      readonly required?: boolean;
      readonly pattern?: RegExp;
      /** What the pattern wants, for the complaint. */
      readonly wanted?: string;
    }
  | {
      readonly kind: 'choice';
      readonly id: string;
      readonly title: string;
      readonly flag: string;
      readonly preset: boolean;
      /** The command has `--no-FLAG`. */
      readonly allowNo?: boolean;
      /** Nobody is asked: it is as preset, and the command line shows it. */
      readonly isUsual?: boolean;
    }
  /** The subject's name, typed: what is destructive asks for it. */
  | {readonly kind: 'name'; readonly id: string; readonly title: string; readonly flag?: string}
  /** Names of hosts that the plan takes out for good, typed: `--FLAG HOST` for each. Asked only when there are some. */
  | {readonly kind: 'names'; readonly id: string; readonly title: string; readonly flag: string}
  /** A command line that goes behind `--`, in words. */
  | {readonly kind: 'words'; readonly id: string; readonly title: string; readonly required?: boolean};

export type Answer = string | boolean | readonly string[] | Readonly<Record<string, number>>;
export type Answers = Readonly<Record<string, Answer>>;

/** The control plane's own name among the counts. No pool can have it: a pool's name has no space. */
export const controlPlaneCount = 'control plane';

/** Parts of a command line that name the subject: as an argument, as `--limit`, as `-c`, the files with `-f`, or files and management cluster. */
export type SubjectWord = 'cluster' | 'machine' | 'run' | '--limit' | '-c' | 'files' | 'place';

/** What commands about such a thing take. */
export const usualWords: Readonly<Record<Subject['about'], readonly SubjectWord[]>> = {
  fleet: [],
  cluster: ['cluster', 'place'],
  machine: ['machine', '-c', 'place'],
  run: ['run'],
};

export interface Action {
  /** Stable: `cluster scale`. */
  readonly id: string;
  /** Imperative. */
  readonly title: string;
  /** As the key table writes keys; one among all actions about the same thing. */
  readonly key: string;
  readonly about: Subject['about'];
  /** The command without its arguments. */
  readonly command: readonly string[];
  /** How the command is told what it is about; default: as most commands about such a thing (`usualWords`). */
  readonly says?: readonly SubjectWord[];
  /** The intent that the command has, and the capability that the mode must have. Absent: the command only looks, or opens something. */
  readonly verb?: Verb;
  /** Modes that have it, and why the others don't; for what no capability tells. */
  readonly only?: {readonly modes: readonly string[]; readonly reason: string};
  /** A file must be known. */
  readonly needsFile?: boolean;
  /** Why it makes no sense at the moment; undefined when it does. */
  readonly idle?: (subject: Subject) => string | undefined;
  readonly inputs: readonly ActionInput[];
  /**
   * `run`: plan, question, a run of its own. `answer`: ends at once, its result is told. `hand-over`: needs the terminal for itself.
   * `screen`: the dashboard has a screen that shows what the command prints.
   */
  readonly kind: 'run' | 'answer' | 'hand-over' | 'screen';
  /** Takes something away for good: the name is typed. In all modes, or in some. */
  readonly destructive?: boolean | readonly string[];
  /** May be done with several at once, one question for all. */
  readonly many?: boolean;
}

export interface ActionRequest {
  readonly action: Action;
  readonly subject: Subject;
  readonly answers: Answers;
}
