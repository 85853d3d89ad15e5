// The log of a room as a list of rows: what stands in it, in which order. Pure; log.js draws them.

const TOGETHER = 5 * 60_000;   // messages of one person this close stand under one name

/**
 * Rows of `room` with its unconfirmed `posts`: {key, kind} where kind is
 * 'top' {state: 'older' | 'beginning'}, 'day' {at}, 'divider' or
 * 'message' {message, state: 'sent' | 'pending' | 'failed', reason, own, first, quoted}; `quoted` is the message that it
 * answers, if it answers one and that is loaded.
 */
export function rows(room, posts, me) {
  const list = [{ key: 'top', kind: 'top', state: room.older ? 'older' : 'beginning' }];
  let before = null;   // the message above, when the next one may join its group
  let day = null;

  const add = (message, state, reason = '') => {
    const at = new Date(message.at);
    if (day !== at.toDateString()) {
      day = at.toDateString();
      before = null;
      list.push({ key: `day ${day} ${list.some(row => row.key === `day ${day} `) ? list.length : ''}`, kind: 'day', at });
    }
    if (room.divider !== null && message.seq === room.divider) {
      before = null;
      list.push({ key: 'divider', kind: 'divider' });
    }
    const first = !before || before.from !== message.from || at - new Date(before.at) > TOGETHER;
    const quoted = message.reply_to ? room.find(message.reply_to) : undefined;
    list.push({ key: messageKey(message.from, message.id), kind: 'message', message, at, state, reason, own: message.from === me, first, quoted });
    before = message;
  };

  for (const message of room.shown) add(message, 'sent');
  for (const post of posts) add({ ...post, from: me, seq: null, rev: null }, post.state, post.reason);
  return list;
}

/** Names a message before and after it has a number: the author and the id that the author gave it. */
export const messageKey = (from, id) => `${from}/${id}`;
