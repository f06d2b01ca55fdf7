/** The copy on the device: works offline, takes a new version when asked, can be installed. */

import { ownsCache, scopeUrl } from './place.js';

export interface OfflineEvents {
  /** A new version is here; `take` changes to it and opens the page again. */
  update(take: () => void): void;
  /** Another tab changed the version under this one. */
  replaced(): void;
}

/** Looks for a new version this often while the page stays open. */
const checkMs = 60 * 60 * 1000;

interface InstallPrompt extends Event {
  prompt(): Promise<void>;
}

let installPrompt: InstallPrompt | null = null;

/** Whether everything was deleted: this tab then keeps no copy until it is opened again. */
let dropped = false;

/**
 * Registers the service worker, once the first answers are ready: the copy for later must not slow
 * the first visit. Without service workers the page works all the same.
 */
export async function keepOffline(events: OfflineEvents): Promise<void> {
  const container = navigator.serviceWorker;
  if (!container || dropped) return;
  const hadController = Boolean(container.controller);
  let taking = false;
  container.addEventListener('controllerchange', () => {
    if (taking) location.reload();
    else if (hadController) events.replaced();
  });
  try {
    const registration = await container.register(new URL('sw.js', scopeUrl()), {
      scope: scopeUrl(),
      updateViaCache: 'none',
    });
    if (dropped) return await dropCopies();
    const offer = (): void => {
      const { waiting } = registration;
      if (!waiting || !container.controller) return;
      events.update(() => {
        taking = true;
        waiting.postMessage('take-over');
      });
    };
    offer();
    registration.addEventListener('updatefound', () => {
      const { installing } = registration;
      installing?.addEventListener('statechange', offer);
    });
    setInterval(() => void registration.update().catch(() => {}), checkMs);
  } catch {
    // Refused by the browser (private window, embedded view): the page stays an ordinary page.
  }
}

/** Takes the model and the offline copy with its service worker off the device. */
export async function dropCopies(): Promise<void> {
  dropped = true;
  // The browser may finish this only after its own check for a newer version; where it has lost that
  // check, at the next visit. What waits until then is the worker's code alone.
  await Promise.race([unregister(), new Promise((resolve) => setTimeout(resolve, 2_000))]);
  await dropCaches();
}

/** Asks until it is gone: the browser's own check for a newer version can bring a registration back. */
async function unregister(): Promise<void> {
  for (let time = 0; time < 10; time++) {
    const all = (await navigator.serviceWorker?.getRegistrations()) ?? [];
    const own = all.filter(({ scope }) => scope === scopeUrl());
    if (own.length === 0) return;
    for (const registration of own) {
      // One that is still filling its cache goes on with that after it was unregistered.
      registration.installing?.addEventListener('statechange', () => void dropCaches());
      await registration.unregister();
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

async function dropCaches(): Promise<void> {
  if (!('caches' in self)) return;
  for (const name of await caches.keys()) if (ownsCache(name)) await caches.delete(name);
}

/** Whether the copy on the device is whole. */
export async function isComplete(): Promise<boolean> {
  const active = (await navigator.serviceWorker?.getRegistration(scopeUrl()))?.active;
  if (!active) return false;
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), 3_000);
    const listen = (event: MessageEvent): void => {
      if (typeof event.data?.complete !== 'boolean') return;
      clearTimeout(timer);
      navigator.serviceWorker.removeEventListener('message', listen);
      resolve(event.data.complete);
    };
    navigator.serviceWorker.addEventListener('message', listen);
    navigator.serviceWorker.startMessages();
    active.postMessage('complete?');
  });
}

/** Lets the settings show an install button where the browser can install. */
export function watchInstall(changed: (possible: boolean) => void): void {
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    installPrompt = event as InstallPrompt;
    changed(true);
  });
  addEventListener('appinstalled', () => {
    installPrompt = null;
    changed(false);
    void persist();
  });
}

export async function install(): Promise<void> {
  await installPrompt?.prompt();
}

/** Asks the browser not to clear what the reader chose to keep. */
export async function persist(): Promise<void> {
  await navigator.storage?.persist?.().catch(() => false);
}

/** The views inside chat apps lack service workers; a real browser can keep the page. */
export function inAppView(): boolean {
  return !navigator.serviceWorker && /KAKAOTALK|NAVER|Instagram|FBAN|FBAV|Line\//i.test(
    navigator.userAgent,
  );
}
