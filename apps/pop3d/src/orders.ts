/** What an operator tells a running server, by signals or by the process that started it. */
export interface Orders {
  /** Settled when the server shall stop, and let its sessions end. */
  readonly drain: Promise<void>;
  /** Settled when it shall wait for nothing any longer. */
  readonly stop: Promise<void>;
  /** Calls back on each order to read the certificates again. */
  onReload(reload: () => void): void;
}

/** What the first process tells a worker. */
export type OrderMessage = 'drain' | 'stop' | 'reload';

/**
 * SIGTERM or SIGINT drains, a second one stops.
 *
 * @param onHangUp - what SIGHUP orders: a server that belongs to a terminal drains when that is closed.
 */
export function ordersBySignal(onHangUp: 'reload' | 'drain' = 'reload'): Orders {
  const orders = new SettledOrders();
  const onSignal = () => (orders.isDraining ? orders.give('stop') : orders.give('drain'));
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('SIGHUP', () => orders.give(onHangUp));
  return orders;
}

/**
 * Orders of the first process. Signals may come to all processes of a group at once, so here they mean no more than
 * the message that follows: SIGTERM drains, once, and SIGINT of a terminal is left to the first process.
 */
export function ordersByMessage(): Orders {
  const orders = new SettledOrders();
  process.on('message', (message) => {
    if (typeof message === 'string') orders.give(message as OrderMessage);
  });
  process.on('disconnect', () => orders.give('drain'));
  process.on('SIGTERM', () => orders.give('drain'));
  process.on('SIGINT', () => {});
  process.on('SIGHUP', () => orders.give('reload'));
  return orders;
}

class SettledOrders implements Orders {
  readonly drain: Promise<void>;
  readonly stop: Promise<void>;
  isDraining = false;
  readonly #reloads: (() => void)[] = [];
  #settleDrain: () => void = () => {};
  #settleStop: () => void = () => {};

  constructor() {
    this.drain = new Promise((resolve) => {
      this.#settleDrain = resolve;
    });
    this.stop = new Promise((resolve) => {
      this.#settleStop = resolve;
    });
  }

  onReload(reload: () => void): void {
    this.#reloads.push(reload);
  }

  give(order: OrderMessage): void {
    if (order === 'reload') {
      for (const reload of this.#reloads) reload();
      return;
    }
    this.isDraining = true;
    this.#settleDrain();
    if (order === 'stop') this.#settleStop();
  }
}
