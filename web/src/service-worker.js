// Keeps every file of the page by its hash, so that the page works offline and a new release fetches only
// what changed. FILES, path -> hash, is put in front by the build (vite.config.ts).

const CACHE = "labelwise";
const SCOPE = new URL("./", self.location.href).href;
// What every visitor needs; the runtime for WebGPU is not among it.
const SHELL = /^(?!.*jspi).*\.(html|js|css|json)$/;

const keyOf = (path) => `${SCOPE}${path}?sha256=${FILES[path]}`;

// The large files are kept when the page first asks for them: then they are fetched once. A new release waits
// until no tab shows the old one, whose files it will delete.
self.addEventListener("install", (event) => {
  event.waitUntil(Promise.all(Object.keys(FILES).filter((path) => SHELL.test(path)).map(stored)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(withoutOldFiles().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || !url.href.startsWith(SCOPE)) return;
  const path = url.origin + url.pathname === SCOPE ? "index.html" : (url.origin + url.pathname).slice(SCOPE.length);
  if (path in FILES) event.respondWith(stored(path).then(isolated));
});

/** The file from the cache, or from the network into the cache. */
async function stored(path) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(keyOf(path));
  if (kept) return kept;
  const response = await fetch(SCOPE + path, { cache: "no-cache" });
  if (response.ok) await cache.put(keyOf(path), response.clone());
  return response;
}

async function withoutOldFiles() {
  const cache = await caches.open(CACHE);
  const wanted = new Set(Object.keys(FILES).map(keyOf));
  const old = (await cache.keys()).filter((request) => !wanted.has(request.url));
  await Promise.all(old.map((request) => cache.delete(request)));
}

/** Browsers give threads only to pages that load nothing foreign; this one never does. */
function isolated(response) {
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
