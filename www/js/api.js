// Asks the server over HTTP. What it refuses and its silence are two kinds of error.

import { sentence, words } from './words.js';

/** The server said no; `message` is for people, `status` and `code` are for the page. */
export class Refused extends Error {
  constructor(message, status, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The server did not answer, or could not. */
export class Away extends Error {
  constructor() { super(words.welcome.away); }
}

/** Resolves with the answer's JSON, or null where it has none. A `Blob` is sent as it is. Throws `Refused` or `Away`. */
export async function ask(method, path, body) {
  const answer = await request(method, path, body);
  if (answer.status === 204) return null;
  const said = await answer.json().catch(() => null);
  if (answer.ok) return said;
  if (!said?.error || answer.status >= 500) throw new Away();
  throw new Refused(sentence(said.error.message), answer.status, said.error.code);
}

async function request(method, path, body) {
  const isBlob = body instanceof Blob;
  try {
    return await fetch(path, {
      method,
      headers: body && !isBlob ? { 'Content-Type': 'application/json' } : {},
      body: body && !isBlob ? JSON.stringify(body) : body,
      cache: 'no-store',
    });
  } catch {
    throw new Away();
  }
}
