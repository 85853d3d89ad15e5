// What people write, as DOM: links, `code` and fenced code. Everything else stays the text it is.

import { el } from './dom.js';

const FENCE = /^```([^\n`]*)\n([\s\S]*?)\n?```[^\S\n]*$/gm;
const INLINE = /`([^`\n]+)`|https?:\/\/[^\s<>"`]+/gi;
const AFTER_A_LINK = /[.,;:!?'*_~)\]}]+$/;

/** The nodes of a message's body. */
export function formatted(body) {
  const nodes = [];
  let from = 0;
  for (const match of body.matchAll(FENCE)) {
    nodes.push(...inline(body.slice(from, match.index).replace(/\n$/, '')));
    nodes.push(el('pre', { tabindex: '0' }, el('code', {}, match[2])));
    from = match.index + match[0].length + (body[match.index + match[0].length] === '\n' ? 1 : 0);
  }
  nodes.push(...inline(body.slice(from)));
  return nodes;
}

function* inline(text) {
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    const node = match[1] === undefined ? link(match[0]) : el('code', {}, match[1]);
    if (!node) continue;
    if (match.index > from) yield text.slice(from, match.index);
    yield node;
    from = match.index + (match[1] === undefined ? node.textContent.length : match[0].length);
  }
  if (from < text.length) yield text.slice(from);
}

function link(found) {
  const address = withoutTrailing(found);
  if (!URL.canParse(address)) return null;
  const { protocol, hostname } = new URL(address);
  if (!/^https?:$/.test(protocol) || !hostname) return null;
  return el('a', { href: address, target: '_blank', rel: 'noopener noreferrer nofollow' }, address);
}

// A sentence's full stop is not the link's; neither is a closing bracket, unless the link opened it.
function withoutTrailing(found) {
  const [tail = ''] = found.match(AFTER_A_LINK) ?? [];
  let end = found.length - tail.length;
  for (const char of tail) {
    if (char !== ')' || !opens(found.slice(0, end))) break;
    end += 1;
  }
  return found.slice(0, end);
}

const opens = text => text.split('(').length > text.split(')').length;
