/** What a transport tells. */
export interface TransportEvents {
  /** Bytes as they come, in any pieces. */
  data(bytes: Uint8Array): void;
  /** Once, and nothing after it. `stderr`: the last that the host wrote there. */
  end(why: { readonly reason: string; readonly stderr?: string }): void;
}

/** A connection to a host. */
export interface Transport {
  send(pieces: readonly Uint8Array[]): void;
  /** Called once, before the first `send`. */
  listen(events: TransportEvents): void;
  /** Ends the connection, and a host that was started for it; resolves when that is gone. */
  close(): Promise<void>;
}

/** Makes a connection, and the host where that is a process of one's own. */
export type Connector = () => Promise<Transport>;
