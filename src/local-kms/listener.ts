/**
 * One port on 127.0.0.1 that can be closed and opened again.
 *
 * Closing cuts all connections, so that clients see the port as down at once and nothing is left behind that
 * would keep the process alive.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

const LOOPBACK = '127.0.0.1';
const MAX_HEADER_BYTES = 16 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than clients keep idle connections, so that the server is not the one to close them mid-request. */
const KEEP_ALIVE_MS = 65_000;
const REOPEN_PAUSE_MS = 20;

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

export class Listener {
  readonly #handler: RequestHandler;
  readonly #sockets = new Set<Socket>();
  readonly #closing = new Set<Promise<void>>();
  #server: Server | undefined;
  #port = 0;

  private constructor(handler: RequestHandler) {
    this.#handler = handler;
  }

  /** Listens on `port`, or on a free one for 0. Fails if the port is taken. */
  static async start(handler: RequestHandler, port: number): Promise<Listener> {
    const listener = new Listener(handler);
    const server = listener.#newServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).once('listening', resolve).listen(port, LOOPBACK);
    });
    listener.#port = (server.address() as AddressInfo).port;
    return listener;
  }

  get url(): string {
    return `http://${LOOPBACK}:${this.#port}`;
  }

  /** Closes the port and cuts its connections; false if it is closed already. */
  suspend(): boolean {
    const server = this.#server;
    if (server === undefined) return false;
    this.#server = undefined;
    if (server.listening) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      this.#closing.add(closed);
      void closed.then(() => this.#closing.delete(closed));
    }
    for (const socket of this.#sockets) socket.destroy();
    return true;
  }

  /** Opens the same port again. If another process has taken it meanwhile, tries until it is free. */
  resume(): void {
    if (this.#server !== undefined) return;
    const server = this.#newServer();
    // A `suspend` that came before the port was open finds nothing to close: it is made up for here.
    server.on('listening', () => this.#server !== server && server.close());
    server.on('error', () => {
      setTimeout(() => this.#server === server && server.listen(this.#port, LOOPBACK), REOPEN_PAUSE_MS);
    });
    server.listen(this.#port, LOOPBACK);
  }

  /** Resolves when the port is closed and every connection is gone. */
  async close(): Promise<void> {
    this.suspend();
    await Promise.all(this.#closing);
  }

  #newServer(): Server {
    const limits = { maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: REQUEST_TIMEOUT_MS };
    const server = createServer({ ...limits, keepAliveTimeout: KEEP_ALIVE_MS }, this.#handler);
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server = server;
    return server;
  }
}
