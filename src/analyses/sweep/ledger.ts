/** Results that are there already, and where new ones go: work that was stopped goes on from them. NaN: there is no number. */
export interface Ledger<Key = number> {
  readonly known: (key: Key) => number | undefined;
  readonly add: (key: Key, value: number) => void | Promise<void>;
}
