// What every view of the desk shares: the live rows and what tells of their changes, and which view is shown.
import type { Session } from '../lib/api';
import { each, Feed } from '../lib/feed.svelte';
import { worst } from '../lib/live/freshness';
import type { FigureRow, Topic } from '../lib/wire';
import { waiting } from './evidence/waiting';
import { VIEWS, type ViewId } from './views';

export class Desk extends Feed {
  view = $state<ViewId>('dispatch');
  /** The part of the address behind the view's name: a ticket's id in `#dispatch/260114-000123`. */
  within = $state('');
  /** Counts the changes of a topic's rows: what reads them depends on it. */
  seen = $state<Record<Topic, number>>(each(() => 0));
  /** Tickets whose photos wait for a person, as they are to be taken up. */
  readonly photosWaiting = $derived.by(() => {
    void this.seen.evidence;
    return waiting(this.live.rows('evidence'));
  });

  override start(): () => void {
    const follow = (): void => this.#follow();
    follow();
    window.addEventListener('hashchange', follow);
    const stop = super.start();
    return () => {
      window.removeEventListener('hashchange', follow);
      stop();
    };
  }

  /** Since when something is stale, on the business clock; null while it is not. */
  staleSince(...topics: Topic[]): number | null {
    const found = worst(topics.map((topic) => this.freshness[topic]));
    return found.state === 'stale' ? (this.live.businessAt(found.since) ?? this.now) : null;
  }

  figure<Name extends FigureRow['figure']>(name: Name): Extract<FigureRow, { figure: Name }> | null {
    void this.seen.figures;
    const row = this.live.rows('figures').get(name)?.row;
    return row?.figure === name ? (row as Extract<FigureRow, { figure: Name }>) : null;
  }

  show(view: ViewId): void {
    location.hash = view;
  }

  /** Somebody else signed in, in another window: nothing may be decided under our name. */
  protected override outdatedBy(fresh: Session): boolean {
    return fresh.user !== this.session.user;
  }

  protected override tell(topics: ReadonlySet<Topic>): void {
    for (const topic of topics) this.seen[topic] += 1;
  }

  #follow(): void {
    const [id = '', within = ''] = location.hash.replace(/^#/, '').split(/\/(.*)/s);
    this.view = VIEWS.find((known) => known.id === id)?.id ?? 'dispatch';
    this.within = decodeURIComponent(within);
  }
}
