/**
 * Keys and values in IndexedDB, one database each. Every call opens and closes its connection, so
 * that nothing stands in the way of deleting the database, in this tab or another.
 */

const storeName = 'values';

export class KeyVal<T> {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  set(key: string, value: T): Promise<void> {
    return this.#with('readwrite', (store) => void store.put(value, key));
  }

  delete(key: string): Promise<void> {
    return this.#with('readwrite', (store) => void store.delete(key));
  }

  clear(): Promise<void> {
    return this.#with('readwrite', (store) => void store.clear());
  }

  async get(key: string): Promise<T | undefined> {
    let request: IDBRequest<T> | undefined;
    await this.#with('readonly', (store) => (request = store.get(key)));
    return request?.result;
  }

  /** All values, in the order of their keys. */
  async all(): Promise<T[]> {
    let request: IDBRequest<T[]> | undefined;
    await this.#with('readonly', (store) => (request = store.getAll()));
    return request?.result ?? [];
  }

  /** Deletes the database itself. */
  drop(): Promise<void> {
    return new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase(this.name);
      request.onsuccess = () => resolve();
      request.onerror = () => reject(request.error);
    });
  }

  /** Reading what was never written does nothing: no empty database is left behind. */
  async #with(mode: IDBTransactionMode, work: (store: IDBObjectStore) => void): Promise<void> {
    const database = await this.#open(mode === 'readwrite');
    if (!database) return;
    try {
      await new Promise<void>((resolve, reject) => {
        const transaction = database.transaction(storeName, mode);
        transaction.oncomplete = () => resolve();
        transaction.onabort = transaction.onerror = () => reject(transaction.error);
        work(transaction.objectStore(storeName));
      });
    } finally {
      database.close();
    }
  }

  #open(create: boolean): Promise<IDBDatabase | null> {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(this.name, 1);
      let missing = false;
      request.onupgradeneeded = () => {
        if (create) request.result.createObjectStore(storeName);
        else {
          missing = true;
          request.transaction!.abort();
        }
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => (missing ? resolve(null) : reject(request.error));
    });
  }
}
