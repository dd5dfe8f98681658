import type { KqlAnswer, KqlOperation, KqlOperations, KqlRequest, KqlSetup } from './protocol';

type Waiting = { resolve(value: unknown): void; reject(error: Error): void };

/** The page's end of the language worker, of which there is one for the whole page. */
class LanguageClient {
  #worker: Worker | undefined;
  #ready: Promise<true> | undefined;
  #waiting = new Map<number, Waiting>();
  #lastId = 0;

  /** Starts the worker at the first call; later calls get the same promise. */
  start(setup: KqlSetup): Promise<true> {
    this.#ready ??= this.call('setUp', { setup });
    return this.#ready;
  }

  /** Waits until the service was started and knows the schema. */
  async ready(): Promise<boolean> {
    return this.#ready === undefined ? false : this.#ready;
  }

  call<O extends KqlOperation>(
    operation: O,
    takes: KqlOperations[O]['takes'],
  ): Promise<KqlOperations[O]['gives']> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      // The worker answers each operation with what the protocol says of it.
      const accept = (value: unknown) => resolve(value as KqlOperations[O]['gives']);
      this.#waiting.set(id, { resolve: accept, reject });
      // The union of requests is made of exactly these parts.
      this.#open().postMessage({ id, operation, ...takes } as unknown as KqlRequest);
    });
  }

  #open(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'kql' });
    worker.addEventListener('message', ({ data }: MessageEvent<KqlAnswer>) => this.#settle(data));
    worker.addEventListener('error', ({ message }) => this.#failAll(new Error(message)));
    this.#worker = worker;
    return worker;
  }

  #settle(answer: KqlAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('error' in answer) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer.value);
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

export const language = new LanguageClient();
