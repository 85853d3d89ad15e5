// Who this person is, over HTTP: a name, with or without a password, for a session cookie. The WebSocket handshake then
// carries the cookie.

import { ask, Refused } from './api.js';
import { browser } from './keep.js';

export { Away, Refused } from './api.js';

/** How one comes in here: {join: 'open' | 'invite' | 'closed', guests}. Throws `Away`. */
export const door = () => ask('GET', '/api/door');

/** The session's `{name, role}`, or null when there is none. Throws `Refused` (another has the name now) or `Away`. */
export const current = () => ask('GET', '/api/session');

/** Begins a guest's session under `name`. This and the next two remember the name, and throw `Refused` or `Away`. */
export const begin = name => signedIn(ask('POST', '/api/session', { name }));

/** Signs in to an account. */
export const signIn = (name, password) => signedIn(ask('POST', '/api/session', { name, password }));

/** Makes an account, with an invitation where one is needed. */
export const register = (name, password, invite) => signedIn(ask('POST', '/api/register', { name, password, invite }));

/** Ends the session. The name stays remembered, as a proposal only. */
export async function end() {
  browser.write('signed-out', true);
  await ask('DELETE', '/api/session').catch(() => {});
}

/** The name last used here, or ''. */
export const rememberedName = () => browser.read('name', '');

/** Whether that was an account's. */
export const hadAccount = () => browser.read('account', false);

/** What the browser remembers of who is here. */
export function remember({ name, role }) {
  browser.write('name', name);
  browser.write('account', role !== 'guest');
  browser.remove('signed-out');
}

/**
 * Gets a session without asking the person: the one there is, or a guest's under the remembered name (a server
 * without a database forgets sessions when it restarts). Null: ask. Throws `Refused` (name taken) or `Away`.
 */
export async function resume() {
  const session = await current();
  if (session) remember(session);
  if (session) return session;
  if (!rememberedName() || hadAccount() || browser.read('signed-out')) return null;
  try {
    return await begin(rememberedName());
  } catch (problem) {
    // Perhaps another tab was quicker with the same name: then its cookie is ours as well.
    const other = problem instanceof Refused ? await current() : null;
    if (!other) throw problem;
    return other;
  }
}

async function signedIn(asked) {
  const session = await asked;
  remember(session);
  return session;
}
