/// <reference lib="webworker" />
/**
 * Keeps the page on the device. The files of precache.js are fetched once and served from the cache
 * from then on; the model's large file is kept by the page itself. A new version waits until the
 * reader takes it.
 */

import { cacheNames, setCacheNameDetails } from 'workbox-core';
import { cleanupOutdatedCaches, matchPrecache, precacheAndRoute } from 'workbox-precaching';
import type { Precached } from './precache.js';

declare const self: ServiceWorkerGlobalScope & { GYEOT_FILES: Precached[] };

// Not bundled: a site made from this page replaces it, and the browser then sees a new version.
importScripts('precache.js');

// The browser keeps compiled code for what comes from its own cache, and not for what lies in ours.
self.addEventListener('fetch', (event) => {
  const { cache, url } = event.request;
  if (cache !== 'force-cache' || !url.endsWith('.wasm')) return;
  event.stopImmediatePropagation();
  event.respondWith(fromBrowserCache(url));
});

async function fromBrowserCache(url: string): Promise<Response> {
  try {
    const response = await fetch(url, { mode: 'same-origin', cache: 'only-if-cached' });
    if (response.ok) return response;
  } catch {
    // Not there, or not for private windows.
  }
  return (await matchPrecache(url)) ?? fetch(url);
}

setCacheNameDetails({ prefix: 'gyeot', suffix: self.registration.scope });
precacheAndRoute(self.GYEOT_FILES, {
  // Links come with campaign marks (?utm…, ?fbclid…); they all mean the one page.
  ignoreURLParametersMatching: [/./],
});
cleanupOutdatedCaches();

self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener('message', (event) => {
  if (event.data === 'take-over') void self.skipWaiting();
  if (event.data === 'complete?') event.waitUntil(tell(event.source));
});

/** Answers whether every file is in the cache, so that the page can say it works offline. */
async function tell(client: ExtendableMessageEvent['source']): Promise<void> {
  // Opening a cache makes it, also after the page has deleted everything.
  if (!(await caches.has(cacheNames.precache))) return client?.postMessage({ complete: false });
  const cache = await caches.open(cacheNames.precache);
  const keys = await cache.keys();
  client?.postMessage({ complete: keys.length >= self.GYEOT_FILES.length });
}
