/** What waits for the api, in IndexedDB: wishes ("forget me") and proofs of play, each in the order in which it came. */

export type Shelf = "wishes" | "plays";

/** A record with its place in the order. */
export interface Kept<T> {
  readonly n: number;
  readonly value: T;
}

/** Two days of plays; older ones make room when the api refuses them all that long. */
const MOST = 20_000;

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB failed."));
  });

/** One database. Every method fails softly into a rejected promise. */
export class Store {
  private db: Promise<IDBDatabase> | undefined;

  constructor(private readonly name: string) {}

  /** Put at the end, or in place of the record that has this number; returns the number. */
  async put<T>(shelf: Shelf, value: T, n?: number): Promise<number> {
    const key = await done((await this.shelf(shelf, "readwrite")).put(n === undefined ? { value } : { value, n }));
    return Number(key);
  }

  /** The first records, in order. */
  async first<T>(shelf: Shelf, most: number): Promise<Kept<T>[]> {
    return done((await this.shelf(shelf, "readonly")).getAll(null, most)) as Promise<Kept<T>[]>;
  }

  /** Take records away. */
  async remove(shelf: Shelf, numbers: readonly number[]): Promise<void> {
    const store = await this.shelf(shelf, "readwrite");
    await Promise.all(numbers.map((n) => done(store.delete(n))));
  }

  /** How many wait. */
  async count(shelf: Shelf): Promise<number> {
    return done((await this.shelf(shelf, "readonly")).count());
  }

  /** Let the oldest go beyond the most that is kept. */
  async trim(shelf: Shelf): Promise<void> {
    const over = (await this.count(shelf)) - MOST;
    if (over > 0)
      await this.remove(
        shelf,
        (await this.first(shelf, over)).map(({ n }) => n),
      );
  }

  private async shelf(name: Shelf, mode: IDBTransactionMode): Promise<IDBObjectStore> {
    this.db ??= this.open().catch((error) => {
      this.db = undefined;
      throw error;
    });
    return (await this.db).transaction(name, mode, { durability: "strict" }).objectStore(name);
  }

  private open(): Promise<IDBDatabase> {
    const request = indexedDB.open(this.name, 1);
    request.onupgradeneeded = () => {
      for (const name of ["wishes", "plays"]) {
        request.result.createObjectStore(name, { keyPath: "n", autoIncrement: true });
      }
    };
    return done(request);
  }
}
