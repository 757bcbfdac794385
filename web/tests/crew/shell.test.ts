// The service worker: the page opens at once as it was kept, and what is kept is ours.
import { beforeEach, describe, expect, it } from 'vitest';
import source from '../../public/crew-sw.js?raw';

const ORIGIN = 'https://heat.example';

interface Event {
  request?: { method: string; mode: string; url: string };
  waitUntil: (work: Promise<unknown>) => void;
  respondWith?: (answer: Promise<Response>) => void;
}

const kept = new Map<string, Response>();
const cache = {
  match: async (path: string) => kept.get(path)?.clone(),
  put: async (path: string, answer: Response) => void kept.set(path, answer),
  keys: async () => [...kept.keys()].map((path) => ({ url: `${ORIGIN}${path}` })),
  delete: async (request: { url: string }) => kept.delete(new URL(request.url).pathname),
};
const hears = new Map<string, (event: Event) => void>();
let server: (path: string) => Response;

const page = (n: number): string => `<body class="crew-page"><script src="/assets/crew-${n}.js"></script><link href="/assets/crew-${n}.css">`;
const serves = (n: number) => (path: string): Response => {
  if (path === '/crew') return new Response(page(n));
  return new Response(path.endsWith('.css') ? `url(/assets/font-${n}.woff2)` : 'part');
};

beforeEach(() => {
  kept.clear();
  const self = {
    addEventListener: (name: string, hear: (event: Event) => void) => hears.set(name, hear),
    skipWaiting: () => undefined,
  };
  const caches = { open: async () => cache, keys: async () => [] };
  const fetch = async (asked: string | { url: string }): Promise<Response> =>
    server(new URL(typeof asked === 'string' ? asked : asked.url, ORIGIN).pathname);
  new Function('self', 'caches', 'fetch', 'location', source)(self, caches, fetch, { origin: ORIGIN });
});

async function hear(name: string, request?: Event['request']): Promise<string | null> {
  const work: Promise<unknown>[] = [];
  let answer: Promise<Response> | null = null;
  hears.get(name)!({
    ...(request === undefined ? {} : { request }),
    waitUntil: (one) => work.push(one),
    respondWith: (given) => (answer = given),
  });
  const shown = answer === null ? null : await (await (answer as Promise<Response>)).text();
  await Promise.all(work);
  return shown;
}
const install = (): Promise<string | null> => hear('install');
const open = (): Promise<string | null> => hear('fetch', { method: 'GET', mode: 'navigate', url: `${ORIGIN}/crew?lang=zh` });
const paths = (): string[] => [...kept.keys()].sort();

describe('the page without a network', () => {
  it('opens as it was kept, and a new one is there the next time; the parts of the one before stay', async () => {
    server = serves(1);
    await install();
    expect(paths()).toEqual(['/assets/crew-1.css', '/assets/crew-1.js', '/assets/font-1.woff2', '/crew']);
    server = serves(2);
    expect(await open()).toBe(page(1));
    expect(await open()).toBe(page(2));
    expect(paths().filter((path) => path.includes('-1'))).toHaveLength(3);
    server = serves(3);
    await open();
    expect(paths().filter((path) => path.includes('-1'))).toHaveLength(0);
    expect(paths().filter((path) => /-[23]\./.test(path))).toHaveLength(6);
  });

  it('is kept only where it is ours and whole', async () => {
    server = () => new Response('<html>sign in to this network</html>');
    await expect(install()).rejects.toThrow('/crew');
    server = serves(1);
    await install();
    for (const other of [() => new Response('<html>'), () => new Response('', { status: 502 }), (path: string) => (path === '/crew' ? serves(2)(path) : new Response('', { status: 404 }))]) {
      server = other;
      expect(await open()).toBe(page(1));
    }
    server = () => {
      throw new TypeError('no signal');
    };
    expect(await open()).toBe(page(1));
  });

  it('keeps nothing of the API', async () => {
    expect(await hear('fetch', { method: 'GET', mode: 'cors', url: `${ORIGIN}/api/crew/today` })).toBe(null);
  });
});
