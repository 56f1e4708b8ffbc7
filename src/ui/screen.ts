// What a screen is: a reference that says what it shows, something that is opened for it before it's drawn, and a component that only draws.
import type {ReactNode} from 'react';
import type {DashServices} from './services.ts';

/** What a screen shows. New screens add their form here. */
export type ScreenReference =
  | {readonly kind: 'fleet'}
  | {readonly kind: 'cluster'; readonly id: string}
  | {readonly kind: 'machine'; readonly cluster: string; readonly machine: string}
  /** Without a cluster: of all that are shown. */
  | {readonly kind: 'events'; readonly cluster: string; readonly object?: string}
  | {readonly kind: 'logs'; readonly title: string; readonly cluster: string; readonly machine?: string}
  /** A run that goes on or has ended; with `isReplay` its record is played. */
  | {readonly kind: 'run'; readonly run: string; readonly isReplay?: boolean}
  /** Without a cluster: of all. */
  | {readonly kind: 'history'; readonly cluster?: string}
  | {readonly kind: 'help'};

export type ScreenKind = ScreenReference['kind'];

/** Something that lives as long as its screen is on the stack. */
export interface Opened {
  close?(): void;
}

export interface ScreenProps<K extends ScreenKind = ScreenKind, O extends Opened = Opened> {
  readonly reference: Extract<ScreenReference, {kind: K}>;
  readonly opened: O;
}

export interface ScreenDefinition<K extends ScreenKind = ScreenKind, O extends Opened = Opened> {
  /** The screen's name in the breadcrumbs. */
  crumb(reference: Extract<ScreenReference, {kind: K}>): string;
  /** Begins what the screen shows, when it's gone to; a component never does. */
  open(reference: Extract<ScreenReference, {kind: K}>, services: DashServices): O;
  readonly Component: (props: ScreenProps<K, O>) => ReactNode;
}

export type ScreenTable = {readonly [K in ScreenKind]: ScreenDefinition<K>};

/** Ties a definition's parts to one type. */
export function defineScreen<K extends ScreenKind, O extends Opened>(_kind: K, definition: ScreenDefinition<K, O>): ScreenDefinition<K> {
  return definition as unknown as ScreenDefinition<K>;
}
