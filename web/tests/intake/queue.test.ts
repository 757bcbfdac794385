// A list that never jumps: new rows wait, settled ones stay, and what cannot be read is said.
import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/lib/api';
import { keyOf } from '../../src/intake/queue/keys';
import { Queue, type Page } from '../../src/intake/queue/queue.svelte';
import { remaining, standing } from '../../src/intake/queue/said';
import { actorText } from '../../src/lib/actor';
import { zh } from '../../src/lib/messages/zh';

interface Row {
  id: string;
  state: string;
}

class Server {
  rows: Row[];
  asked: string[] = [];
  away = false;
  most = 100;
  constructor(...ids: string[]) {
    this.rows = ids.map((id) => ({ id, state: 'open' }));
  }
  read = async (path: string): Promise<Page<Row>> => {
    this.asked.push(path);
    if (this.away) throw new ApiError(0, 'unreachable', '', '');
    const after = new URLSearchParams(path.split('?')[1]).get('after');
    const from = after === null ? 0 : this.rows.findIndex(({ id }) => id === after) + 1;
    const items = this.rows.slice(from, from + this.most);
    const next = from + this.most < this.rows.length ? items.at(-1)!.id : null;
    return { items, next, total: this.rows.length };
  };
}

const opened = async (server: Server): Promise<Queue<Row>> => {
  const queue = new Queue<Row>((row) => row.id, server.read);
  await queue.open('/api/rows?state=open');
  return queue;
};
const ids = (queue: Queue<Row>): string[] => queue.items.map(({ id }) => id);

describe('a queue', () => {
  it('shows what the server has and selects the first', async () => {
    const server = new Server('a', 'b');
    const queue = await opened(server);
    expect(ids(queue)).toEqual(['a', 'b']);
    expect(queue.selected).toBe('a');
    expect(server.asked).toEqual(['/api/rows?state=open&limit=100']);
  });

  it('lets new rows wait until they are asked for', async () => {
    const server = new Server('a', 'b');
    const queue = await opened(server);
    queue.selected = 'b';
    server.rows.unshift({ id: 'new', state: 'open' });
    await queue.refresh();
    expect(ids(queue)).toEqual(['a', 'b']);
    expect(queue.fresh).toBe(1);
    await queue.take();
    expect(ids(queue)).toEqual(['new', 'a', 'b']);
    expect([queue.fresh, queue.selected]).toEqual([0, 'b']);
  });

  it('keeps a settled row in its place and brings its news', async () => {
    const server = new Server('a', 'b', 'c');
    const queue = await opened(server);
    server.rows = [{ id: 'b', state: 'changed' }, { id: 'c', state: 'open' }];
    await queue.refresh();
    expect(ids(queue)).toEqual(['a', 'b', 'c']);
    expect(queue.items[1]!.state).toBe('changed');
    expect([...queue.gone]).toEqual(['a']);
    expect([queue.selected, queue.fresh]).toEqual(['a', 0]);
    await queue.take();
    expect(ids(queue)).toEqual(['b', 'c']);
    expect(queue.selected).toBe('b');
  });

  it('fills an empty list by itself', async () => {
    const server = new Server();
    const queue = await opened(server);
    expect(queue.selected).toBeNull();
    server.rows = [{ id: 'a', state: 'open' }];
    await queue.refresh();
    expect(ids(queue)).toEqual(['a']);
  });

  it('goes on below, and does not take for new what moved up from there', async () => {
    const server = new Server('a', 'b', 'c', 'd', 'e');
    server.most = 2;
    const queue = await opened(server);
    await queue.next();
    expect(ids(queue)).toEqual(['a', 'b', 'c', 'd']);
    expect(queue.more).toBe(true);
    server.rows.shift();
    await queue.refresh();
    expect([queue.fresh, ...queue.gone]).toEqual([0, 'a']);
    await queue.next();
    expect([ids(queue).at(-1), queue.more]).toEqual(['e', false]);
  });

  it('says so when it could not be read, and keeps what it shows', async () => {
    const server = new Server('a');
    const queue = await opened(server);
    const at = queue.readAt;
    server.away = true;
    await queue.refresh();
    expect(ids(queue)).toEqual(['a']);
    expect(queue.problem).toBeInstanceOf(ApiError);
    expect(queue.readAt).toBe(at);
  });

  it('does not let a late answer of another list in', async () => {
    const answers: ((page: Page<Row>) => void)[] = [];
    const queue = new Queue<Row>((row) => row.id, () => new Promise((answer) => answers.push(answer)));
    const first = queue.open('/api/first');
    const second = queue.open('/api/second');
    answers[1]!({ items: [{ id: 'second', state: '' }], next: null, total: 1 });
    answers[0]!({ items: [{ id: 'first', state: '' }], next: null, total: 1 });
    await Promise.all([first, second]);
    expect(ids(queue)).toEqual(['second']);
  });

  it('stops at its ends', async () => {
    const queue = await opened(new Server('a', 'b'));
    queue.move(-1);
    expect(queue.selected).toBe('a');
    queue.move(10);
    expect(queue.selected).toBe('b');
  });
});

describe('what the views say', () => {
  it('names who did something', () => {
    expect(actorText('person:admin', zh)).toBe('admin');
    expect(actorText('system:core', zh)).toBe('系统');
    expect(actorText('source:billing', zh)).toBe('来源 billing');
  });
  it('tells a deadline by shape and words', () => {
    expect(standing(100, 101, 10)).toBe('red');
    expect(standing(100, 95, 10)).toBe('yellow');
    expect(standing(100, 50, 10)).toBe('blue');
    expect(remaining(160, 100, zh)).toBe('剩 1 分');
    expect(remaining(100, 160, zh)).toBe('超 1 分');
  });
  it('hears letters by their place and leaves shortcuts alone', () => {
    const pressed = (init: Partial<KeyboardEvent>): KeyboardEvent =>
      ({ altKey: false, ctrlKey: false, metaKey: false, isComposing: false, defaultPrevented: false, target: null, code: '', key: '', ...init }) as KeyboardEvent;
    globalThis.HTMLElement ??= class {} as typeof HTMLElement;
    expect(keyOf(pressed({ code: 'KeyA', key: 'Process' }))).toBe('A');
    expect(keyOf(pressed({ code: 'Numpad3', key: '3' }))).toBe('3');
    expect(keyOf(pressed({ code: 'Slash', key: '/' }))).toBe('/');
    expect(keyOf(pressed({ code: 'Digit2', key: '2', altKey: true }))).toBeNull();
    expect(keyOf(pressed({ code: 'ArrowDown', key: 'ArrowDown' }))).toBe('ArrowDown');
  });
});
