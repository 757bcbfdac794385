// What the frame of a page knows of the page: its views, in the order of their number keys, and what they share.
import type { Component } from 'svelte';
import type { Session } from './api';

export interface View<Id extends string, Words, Page> {
  /** Also its hash. */
  id: Id;
  name(w: Words): string;
  /** Loaded when it is first shown; it is given the page and must bear being unmounted at any time. */
  load(): Promise<{ default: Component<{ desk: Page }> }>;
}

/** What all views of a page share. */
export interface Framed<Id extends string> {
  readonly session: Session;
  /** Business time, whole Unix seconds. */
  readonly now: number;
  readonly zone: string;
  readonly view: Id;
  show(view: Id): void;
  /** Begins; what it answers ends it. */
  start(): () => void;
}

export interface FrameWords {
  page: string;
  views: string;
  viewBroken: string;
}
