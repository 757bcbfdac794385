// The crew's page without a network: the page and its parts as they were last loaded. Nothing else is ever kept: the day
// is with the app, and every call of the API goes to the network or fails.
const PAGE = 'heatops-crew-page';
const PATIENCE_MS = 20000;

const partsOf = (text, base) =>
  [...text.matchAll(/(?:src|href)="([^"]+)"|url\(["']?([^"')]+)["']?\)/g)]
    .map((found) => new URL(found[1] ?? found[2], base))
    .filter((url) => url.origin === location.origin && /^\/(assets|crew-app)\//.test(url.pathname))
    .map((url) => url.pathname);

/** The page as the server has it now; what a network that wants its own sign-in shows instead is an error. */
async function fetchPage() {
  const answer = await fetch('/crew', { cache: 'no-cache', redirect: 'error', signal: AbortSignal.timeout(PATIENCE_MS) });
  const ours = answer.ok && (await answer.clone().text()).includes('class="crew-page"');
  if (!ours) throw new Error(`/crew: ${answer.status}`);
  return answer;
}

/** The paths of all that a page is made of; `sheetOf` gives a style sheet, or undefined where it is not to be had. */
async function partsOfPage(page, sheetOf) {
  const named = new Set(partsOf(await page.clone().text(), location.origin));
  for (const path of [...named].filter((one) => one.endsWith('.css'))) {
    const sheet = await sheetOf(path);
    for (const inner of sheet === undefined ? [] : partsOf(await sheet.text(), new URL(path, location.origin))) named.add(inner);
  }
  return named;
}

/** As kept: the server may not have the parts of an earlier page any more. */
const namedBy = (cache, page) => partsOfPage(page, (path) => cache.match(path));

/** All parts of a page, now kept. */
async function wantedBy(cache, page) {
  const wanted = await partsOfPage(page, (path) => part(cache, path));
  await Promise.all([...wanted].map((path) => part(cache, path)));
  return wanted;
}

/** Keeps a new page once it is whole; the parts of the one before stay, since it may be open, older ones are let go of. */
async function keepPage() {
  const page = await fetchPage();
  const cache = await caches.open(PAGE);
  const before = await cache.match('/crew');
  const wanted = await wantedBy(cache, page);
  if (before !== undefined) {
    if ((await before.clone().text()) === (await page.clone().text())) return;
    for (const path of await namedBy(cache, before)) wanted.add(path);
  }
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
  const answer = await fetch(path, { redirect: 'error' });
  if (!answer.ok || (answer.headers.get('Content-Type') ?? '').startsWith('text/html')) throw new Error(`${path}: ${answer.status}`);
  await cache.put(path, answer.clone());
  return answer;
}

/** At once as it was kept; what is new is fetched meanwhile, for the next time it is opened. */
async function page(request) {
  const kept = await (await caches.open(PAGE)).match('/crew');
  return kept ?? fetch(request);
}

self.addEventListener('install', (event) => event.waitUntil(keepPage().then(() => self.skipWaiting())));

self.addEventListener('activate', (event) => {
  const others = async () => {
    for (const name of await caches.keys()) if (name.startsWith('heatops-crew-') && name !== PAGE) await caches.delete(name);
  };
  event.waitUntil(others().then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  if (request.mode === 'navigate' && url.pathname === '/crew') {
    event.respondWith(page(request));
    event.waitUntil(keepPage().catch(() => undefined));
  } else if (/^\/(assets|crew-app)\//.test(url.pathname)) {
    event.respondWith(caches.open(PAGE).then(async (cache) => (await cache.match(url.pathname)) ?? fetch(request)));
  }
});
