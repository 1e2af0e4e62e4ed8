import type { Worker } from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { memoryThrottleStore, type ThrottleRule, type ThrottleStore } from '@pop3/auth-node';

/** Secrets that all processes of this machine share. They live in memory alone. */
export interface SharedSecrets {
  /** 48 octets, for TLS sessions. */
  readonly ticketKeys: Buffer;
  /** 32 octets, for what is made up of users who do not exist. */
  readonly users: Buffer;
}

/** What a worker needs of the process that started it. */
export interface FirstProcess {
  secrets(): Promise<SharedSecrets>;
  /** Failed logins of all workers, counted in one place. */
  readonly throttleStore: ThrottleStore;
}

type Question =
  | { readonly type: 'secrets' }
  | { readonly type: 'take'; readonly key: string; readonly rule: ThrottleRule }
  | { readonly type: 'add'; readonly key: string; readonly amount: number; readonly halfLifeMs: number };

interface QuestionMessage {
  readonly id: number;
  readonly question: Question;
}

interface AnswerMessage {
  readonly id: number;
  readonly answer: unknown;
}

/** Answers the questions of workers, for the first process. Messages have to be serialised in the advanced form. */
export function answersToWorkers(): (worker: Worker) => void {
  const secrets: SharedSecrets = { ticketKeys: randomBytes(48), users: randomBytes(32) };
  const store = memoryThrottleStore();
  const answerTo = (question: Question): unknown => {
    switch (question.type) {
      case 'secrets':
        return secrets;
      case 'take':
        return store.take(question.key, question.rule);
      case 'add':
        return store.add(question.key, question.amount, question.halfLifeMs);
    }
  };
  return (worker) => {
    worker.on('message', (message: object) => {
      if (!('question' in message)) return;
      const { id, question } = message as QuestionMessage;
      if (worker.isConnected()) worker.send({ id, answer: answerTo(question) } satisfies AnswerMessage);
    });
  };
}

/** The first process, for a worker. What is asked when it has gone is rejected. */
export function firstProcess(): FirstProcess {
  const waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  let count = 0;
  process.on('message', (message) => {
    if (typeof message !== 'object' || message === null || !('answer' in message)) return;
    const { id, answer } = message as AnswerMessage;
    waiting.get(id)?.resolve(answer);
    waiting.delete(id);
  });
  process.on('disconnect', () => {
    for (const { reject } of waiting.values()) reject(new Error('The first process has gone.'));
    waiting.clear();
  });
  const ask = <Answer>(question: Question): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const id = ++count;
      waiting.set(id, { resolve: (answer) => resolve(answer as Answer), reject });
      process.send?.({ id, question } satisfies QuestionMessage, undefined, undefined, (error) => {
        if (error === null) return;
        waiting.delete(id);
        reject(error);
      });
    });
  return {
    async secrets() {
      const { ticketKeys, users } = await ask<SharedSecrets>({ type: 'secrets' });
      // They come as plain octets.
      return { ticketKeys: Buffer.from(ticketKeys), users: Buffer.from(users) };
    },
    throttleStore: {
      take: (key, rule) => ask({ type: 'take', key, rule }),
      add: (key, amount, halfLifeMs) => ask({ type: 'add', key, amount, halfLifeMs }),
    },
  };
}
