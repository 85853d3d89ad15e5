// Who this person is, over HTTP: a name for a session cookie. The WebSocket handshake then carries the cookie.

import { browser } from './keep.js';
import { sentence, words } from './words.js';

/** The server said no; `message` is for people. */
export class Refused extends Error {}

/** The server did not answer at all. */
export class Away extends Error {}

/** The session's `{name, role}`, or null when there is none. Throws `Refused` (another has the name now) or `Away`. */
export async function current() {
  const answer = await ask('GET');
  if (answer.status === 409) throw new Refused(sentence((await answer.json()).error.message));
  if (!answer.ok) throw new Away(String(answer.status));
  return answer.json();
}

/** Begins a session under `name` and remembers the name. Throws `Refused` or `Away`. */
export async function begin(name) {
  const answer = await ask('POST', { name });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(body.error ? sentence(body.error.message) : words.welcome.away);
  browser.write('name', body.name);
  browser.remove('signed-out');
  return body;
}

/** Ends the session. The name stays remembered, as a proposal only. */
export async function end() {
  browser.write('signed-out', true);
  await ask('DELETE').catch(() => {});
}

/** The name last used here, or ''. */
export const rememberedName = () => browser.read('name', '');

/**
 * Gets a session without asking the person: the one there is, or a new one under the remembered name (a server
 * without a database forgets sessions when it restarts). Null: ask. Throws `Refused` (name taken) or `Away`.
 */
export async function resume() {
  const session = await current();
  if (session) return session;
  if (!rememberedName() || browser.read('signed-out')) return null;
  try {
    return await begin(rememberedName());
  } catch (problem) {
    // Perhaps another tab was quicker with the same name: then its cookie is ours as well.
    const other = problem instanceof Refused ? await current() : null;
    if (!other) throw problem;
    return other;
  }
}

async function ask(method, body) {
  try {
    return await fetch('/api/session', {
      method,
      headers: body ? { 'Content-Type': 'application/json' } : {},
      body: body && JSON.stringify(body),
      cache: 'no-store',
    });
  } catch {
    throw new Away('no answer');
  }
}
