// What every view of the page shares: who is here, the business clock, which view is shown, and what waits for a person.
import { session as readSession, type Session } from '../lib/api';
import { Call } from './call/call.svelte';
import { parseHash } from './call/guess';
import { keeper } from './kept';
import { line } from './line.svelte';
import { VIEWS, type ViewId, type Waiting } from './views';

const CLOCK_EVERY_MS = 250;
const SESSION_EVERY_MS = 60_000;
const COUNT_EVERY_MS = 10_000;

export class Desk {
  session = $state.raw<Session>() as Session;
  /** Business time, whole Unix seconds. */
  now = $state(0);
  view = $state<ViewId>('call');
  /** The part of the address behind the view's name, e.g. `260114-000123` of `#cases/260114-000123`. */
  within = $state('');
  waiting = $state.raw<Partial<Record<ViewId, Waiting | null>>>({});
  readonly call: Call;
  #anchor = { at: 0, rate: 1, from: 0 };

  constructor(session: Session) {
    this.#use(session);
    const kept = keeper(`${session.company.code} ${session.user}`, sessionStorage);
    this.call = new Call(kept, () => this.session.company.timezone);
  }

  get zone(): string {
    return this.session.company.timezone;
  }

  start(): () => void {
    const follow = (): void => this.#follow();
    void this.call.resume();
    follow();
    window.addEventListener('hashchange', follow);
    const leave = (event: BeforeUnloadEvent): void => {
      // A reload loses nothing, but a closed tab does, and the browser does not say which it is.
      if (this.call.outbox.entries.length > 0) event.preventDefault();
    };
    window.addEventListener('beforeunload', leave);
    const stopSending = this.call.outbox.start();
    void this.#count();
    const timers = [
      window.setInterval(() => this.#tick(), CLOCK_EVERY_MS),
      window.setInterval(() => void this.#refresh(), SESSION_EVERY_MS),
      window.setInterval(() => void this.#count(), COUNT_EVERY_MS),
    ];
    return () => {
      window.removeEventListener('hashchange', follow);
      window.removeEventListener('beforeunload', leave);
      stopSending();
      timers.forEach((timer) => window.clearInterval(timer));
    };
  }

  show(view: ViewId): void {
    location.hash = view;
  }

  #use(session: Session): void {
    this.session = session;
    this.#anchor = { at: session.business.at, rate: session.business.rate, from: performance.now() };
    this.#tick();
  }

  #tick(): void {
    const { at, rate, from } = this.#anchor;
    const now = Math.floor(at + ((performance.now() - from) / 1000) * rate);
    if (now !== this.now) this.now = now;
  }

  #follow(): void {
    const { view, phone } = parseHash(location.hash);
    const [id = '', within = ''] = view.split(/\/(.*)/s);
    this.view = VIEWS.find((known) => known.id === id)?.id ?? 'call';
    this.within = decodeURIComponent(within);
    if (phone === null) return;
    // The number leaves the address bar and the history at once.
    history.replaceState(null, '', `${location.pathname}${location.search}#call`);
    this.view = 'call';
    this.call.ring(phone);
  }

  async #refresh(): Promise<void> {
    try {
      const fresh = await readSession();
      // The session moved to another company in another window: nothing of it may be taken in under our name.
      if (fresh.company.code !== this.session.company.code || fresh.user !== this.session.user) location.reload();
      else this.#use(fresh);
      line.up();
    } catch {
      // The line tells it as soon as a call of the seat's own fails; the clock goes on meanwhile.
    }
  }

  async #count(): Promise<void> {
    const counted = await Promise.all(
      VIEWS.map(async ({ id, waiting }) => {
        try {
          return [id, waiting === undefined ? null : await waiting()] as const;
        } catch {
          return [id, null] as const;
        }
      }),
    );
    this.waiting = Object.fromEntries(counted);
  }
}
