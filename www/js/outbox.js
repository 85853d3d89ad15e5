// Posts that the server has not confirmed. They outlive broken lines and reloads; the id makes a repeat harmless.

export class Outbox {
  #keep;
  #posts;

  /** `keep` remembers: {read(key, otherwise), write(key, value)}. */
  constructor(keep) {
    this.#keep = keep;
    this.#posts = keep.read('outbox', []);
  }

  /** Takes a new post for `room`, in answer to the message with the number `replyTo` if there is one; it is 'pending' until confirmed. */
  add(room, body, replyTo = null) {
    const post = { room, id: newId(), body, reply_to: replyTo ?? undefined, at: new Date().toISOString(), state: 'pending', reason: '' };
    this.#posts.push(post);
    this.#save();
    return post;
  }

  of(room) {
    return this.#posts.filter(post => post.room === room);
  }

  pending(room) {
    return this.of(room).filter(post => post.state === 'pending');
  }

  get waiting() {
    return this.#posts.filter(post => post.state === 'pending').length;
  }

  find(id) {
    return this.#posts.find(post => post.id === id);
  }

  fail(id, reason) {
    this.#set(id, 'failed', reason);
  }

  /** Pending again, under the same id: had it been stored after all, this brings the receipt. */
  retry(id) {
    this.#set(id, 'pending', '');
  }

  /** Confirmed, or given up. True if it was here. */
  remove(id) {
    const before = this.#posts.length;
    this.#posts = this.#posts.filter(post => post.id !== id);
    if (this.#posts.length < before) this.#save();
    return this.#posts.length < before;
  }

  #set(id, state, reason) {
    const post = this.find(id);
    if (!post) return;
    Object.assign(post, { state, reason });
    this.#save();
  }

  #save() {
    this.#keep.write('outbox', this.#posts);
  }
}

// Not crypto.randomUUID: that exists only on HTTPS and localhost, and a LAN has neither.
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), byte => byte.toString(16).padStart(2, '0')).join('');
}
