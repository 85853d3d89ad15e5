// What is known of each type of frame: its group in the filter, what it is for, which answer it waits for, and
// which messages of the log it is about.

import { messageKey } from './rows.js';
import { words } from './words.js';

const GROUPS = {
  post: 'messages', message: 'messages', edit: 'messages', delete: 'messages', react: 'messages', history: 'messages', error: 'messages',
  search: 'messages', found: 'messages',
  welcome: 'rooms', join: 'rooms', joined: 'rooms', leave: 'rooms', create: 'rooms', room: 'rooms',
  direct: 'rooms', change: 'rooms', invite: 'rooms', remove: 'rooms', quit: 'rooms', members: 'rooms',
  presence: 'presence', person: 'presence', typing: 'presence', read: 'presence',
  ping: 'pings', pong: 'pings',
};

/** 'messages', 'rooms', 'presence', 'pings', or 'other'. */
export const groupOf = frame => GROUPS[frame.type] ?? 'other';

/** One line: what a frame like this is for. */
export function about(frame, direction, me) {
  if (frame.type === 'message' && frame.rev !== frame.seq) return words.frames.changed[1];
  if (frame.type === 'message' && frame.from === me) return words.frames.receipt[1];
  const [sent, received] = words.frames[frame.type] ?? [];
  return (direction === 'sent' ? sent : received ?? sent) ?? words.wire.unknown;
}

export const aboutClose = code => words.closeCodes[code] ?? words.closeCodes.other;

/** Names the answer that a frame sent waits for; null if it waits for none. */
export function question(frame) {
  switch (frame.type) {
    case 'post': return `post ${frame.id}`;
    case 'ping': return `ping ${frame.t}`;
    case 'join': case 'create': return `join ${frame.room}`;
    case 'history': case 'members': case 'direct': case 'search': return `${frame.type} ${frame.ref}`;
    case 'edit': case 'delete': case 'react': return `change ${frame.room} ${frame.seq}`;
    default: return null;
  }
}

/** The names, as `question` gives them, of what a received frame may answer. */
export function answers(frame, me) {
  switch (frame.type) {
    case 'message':
      if (frame.rev !== frame.seq) return [`change ${frame.room} ${frame.seq}`];
      return frame.from === me ? [`post ${frame.id}`] : [];
    case 'pong': return [`ping ${frame.t}`];
    case 'joined': return [`join ${frame.room}`];
    case 'history': return [`history ${frame.ref}`];
    case 'found': return [`search ${frame.ref}`];
    case 'members': return [`members ${frame.ref}`];
    case 'room': return [`direct ${frame.ref}`];
    case 'error':
      return [`post ${frame.id}`, `join ${frame.room}`, ...['history', 'members', 'direct', 'search'].map(asked => `${asked} ${frame.ref}`)];
    default: return [];
  }
}

/** The keys (see rows.js) of the messages that a frame is about. */
export function messagesOf(frame, me) {
  if (frame.type === 'message') return [messageKey(frame.from, frame.id)];
  if (frame.type === 'history' && frame.messages) return frame.messages.map(({ from, id }) => messageKey(from, id));
  if (frame.type === 'post' || (frame.type === 'error' && frame.id)) return [messageKey(me, frame.id)];
  return [];
}
