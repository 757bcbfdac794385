// The crew's page without a network: the page and its parts as they were last loaded, and the last answer about the day.
// Nothing else is ever kept: every other call of the API goes to the network or fails.
const PAGE = 'heatops-crew-page';
const DAY = 'heatops-crew-day';
const DAY_URL = '/api/crew/today';
const PATIENCE_MS = 6000;

const partsOf = (text, base) =>
  [...text.matchAll(/(?:src|href)="([^"]+)"|url\(["']?([^"')]+)["']?\)/g)]
    .map((found) => new URL(found[1] ?? found[2], base))
    .filter((url) => url.origin === location.origin && /^\/(assets|crew-app)\//.test(url.pathname))
    .map((url) => url.pathname);

/** Keeps the page and all that it is made of; what no page of ours names any more is let go of. */
async function keepPage(page) {
  const cache = await caches.open(PAGE);
  const wanted = new Set(partsOf(await page.clone().text(), location.origin));
  for (const path of [...wanted].filter((one) => one.endsWith('.css'))) {
    const sheet = await part(cache, path);
    for (const inner of partsOf(await sheet.clone().text(), new URL(path, location.origin))) wanted.add(inner);
  }
  await Promise.all([...wanted].map((path) => part(cache, path)));
  await cache.put('/crew', page);
  for (const request of await cache.keys()) {
    const path = new URL(request.url).pathname;
    if (path !== '/crew' && !wanted.has(path)) await cache.delete(request);
  }
}

/** Files under /assets have their hash in their name: one that is kept never changes. */
async function part(cache, path) {
  const kept = await cache.match(path);
  if (kept !== undefined) return kept;
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  await cache.put(path, answer.clone());
  return answer;
}

const asked = (request) => {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  return fetch(request, { signal: stop.signal }).finally(() => clearTimeout(timer));
};

async function page(event) {
  try {
    const answer = await asked('/crew');
    if (answer.ok) event.waitUntil(keepPage(answer.clone()).catch(() => undefined));
    if (answer.status >= 500) throw new Error(`/crew: ${answer.status}`);
    return answer;
  } catch (error) {
    const kept = await (await caches.open(PAGE)).match('/crew');
    if (kept !== undefined) return kept;
    throw error;
  }
}

async function day(request) {
  const cache = await caches.open(DAY);
  try {
    const answer = await asked(request);
    if (answer.status === 200) {
      const body = await answer.clone().blob();
      const headers = { 'Content-Type': 'application/json', 'X-Stored-At': String(Date.now()) };
      await cache.put(DAY_URL, new Response(body, { headers }));
    } else if (answer.status === 401 || answer.status === 403) await caches.delete(DAY);
    return answer;
  } catch (error) {
    const kept = await cache.match(DAY_URL);
    if (kept !== undefined) return kept;
    throw error;
  }
}

self.addEventListener('install', (event) => {
  event.waitUntil(
    fetch('/crew', { cache: 'no-cache' })
      .then((answer) => (answer.ok ? keepPage(answer) : Promise.reject(new Error(`/crew: ${answer.status}`))))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  if (request.mode === 'navigate' && url.pathname === '/crew') event.respondWith(page(event));
  else if (url.pathname === DAY_URL) event.respondWith(day(request));
  else if (/^\/(assets|crew-app)\//.test(url.pathname)) {
    event.respondWith(caches.open(PAGE).then(async (cache) => (await cache.match(url.pathname)) ?? fetch(request)));
  }
});
