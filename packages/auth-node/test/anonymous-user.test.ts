import { expect, it } from 'vitest';
import { anonymousUser } from '../src/index.js';
import { contextOf } from './auth-context.js';

it('lets anybody into the one maildrop, whatever the trace', async () => {
  const users = anonymousUser({ maildrop: 'public' });
  expect(users.accepts).toEqual(['anonymous']);
  for (const trace of ['', 'ann@example.org', 'root']) {
    const outcome = await users.authenticate({ type: 'anonymous', trace }, contextOf());
    expect(outcome).toEqual({
      type: 'accepted',
      identity: { username: 'anonymous', maildrop: 'public' },
    });
  }
});

it('may call them otherwise', async () => {
  const users = anonymousUser({ maildrop: 'public', username: 'guest' });
  const outcome = await users.authenticate({ type: 'anonymous', trace: '' }, contextOf());
  expect(outcome).toMatchObject({ identity: { username: 'guest' } });
});

it('takes no password, also not that of its own name', async () => {
  const users = anonymousUser({ maildrop: 'public' });
  const outcome = await users.authenticate(
    { type: 'password', username: 'anonymous', password: '', authorizationId: '' },
    contextOf(),
  );
  expect(outcome).toEqual({ type: 'refused', reason: 'bad-credentials' });
});
