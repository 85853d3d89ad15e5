// What people write, as DOM: the everyday part of Markdown, links, mentions. Nodes are built, markup is never read: whatever
// is not understood stays the text it is.

import { copy } from './copy.js';
import { el } from './dom.js';
import { mentionsIn, folded } from './mentions.js';
import { words } from './words.js';

const FENCE = /^```([^\n`]*)\n([\s\S]*?)\n?```[^\S\n]*$/gm;
const QUOTE = /^> ?/;
const ITEM = /^[^\S\n]{0,3}(?:[-*+•]|(\d{1,9})[.)])[^\S\n]+(?=\S)/;
const AFTER_A_LINK = /[.,;:!?'*_~)\]}]+$/;
const DEEPEST = 4;   // quotes within quotes

const INLINE = new RegExp([
  '`(?<code>[^`\\n]+)`',
  '\\[(?<label>[^\\[\\]\\n]+)\\]\\((?<target>(?:https?://|mailto:)[^\\s()<>]*(?:\\([^\\s()<>]*\\)[^\\s()<>]*)*)\\)',
  '(?<address>(?:https?://|mailto:)[^\\s<>"`]+)',
  '\\*\\*(?=[^\\s*])(?<strong>[^\\n]*?[^\\s*])\\*\\*(?!\\*)',
  '(?<![\\p{L}\\p{N}_])__(?=[^\\s_])(?<strong2>[^\\n]*?[^\\s_])__(?![\\p{L}\\p{N}_])',
  '(?<![\\p{L}\\p{N}*])\\*(?=[^\\s*])(?<em>[^\\n*]*?[^\\s*])\\*(?![\\p{L}\\p{N}*])',
  '(?<![\\p{L}\\p{N}_])_(?=[^\\s_])(?<em2>[^\\n_]*?[^\\s_])_(?![\\p{L}\\p{N}_])',
  '~~(?=[^\\s~])(?<strike>[^\\n]*?[^\\s~])~~(?!~)',
].join('|'), 'giu');

/** The nodes of a message's body. `known` is a set of folded names, `me` this person's. */
export function formatted(body, { known = new Set(), me = '' } = {}) {
  const people = { known, me };
  const nodes = [];
  let from = 0;
  for (const match of body.matchAll(FENCE)) {
    nodes.push(...blocks(body.slice(from, match.index).replace(/\n$/, ''), people, 0));
    nodes.push(code(match[2]));
    from = match.index + match[0].length + (body[match.index + match[0].length] === '\n' ? 1 : 0);
  }
  nodes.push(...blocks(body.slice(from), people, 0));
  return nodes;
}

/** A message in one line, for where there is no room for more. */
export const firstLine = body => body.split('\n').find(line => /[^`\s]/.test(line.replace(/^```.*/, ''))) ?? body;

function code(text) {
  const button = el('button', { class: 'copy', type: 'button', 'aria-label': words.log.copyCode, title: words.log.copyCode }, words.log.copy);
  button.addEventListener('click', async () => {
    button.textContent = (await copy(text)) ? words.log.copied : words.log.notCopied;
    setTimeout(() => { button.textContent = words.log.copy; }, 2_000);
  });
  return el('div', { class: 'code' }, el('pre', { tabindex: '0' }, el('code', {}, text)), button);
}

// Lines of one kind that follow each other are one block; plain ones stay text, with their line ends.
function* blocks(text, people, depth) {
  if (text === '') return;
  let kind = null;
  let lines = [];
  for (const line of [...text.split('\n'), null]) {
    const next = line === null ? null : kindOf(line, depth);
    if (kind !== null && next !== kind) {
      yield* block(kind, lines, people, depth);
      lines = [];
    }
    kind = next;
    lines.push(line);
  }
}

function kindOf(line, depth) {
  if (QUOTE.test(line) && depth < DEEPEST) return 'quote';
  const item = line.match(ITEM);
  return item ? (item[1] ? 'ordered' : 'list') : 'text';
}

function* block(kind, lines, people, depth) {
  if (kind === 'text') yield* inline(lines.join('\n'), people);
  else if (kind === 'quote') yield el('blockquote', {}, ...blocks(lines.map(line => line.replace(QUOTE, '')).join('\n'), people, depth + 1));
  else {
    const start = kind === 'ordered' && lines[0].match(ITEM)[1];
    yield el(kind === 'ordered' ? 'ol' : 'ul', { start: start && start !== '1' ? start : null },
      ...lines.map(line => el('li', {}, ...inline(line.replace(ITEM, ''), people))));
  }
}

function* inline(text, people) {
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index < from) continue;
    const [node, length] = made(match, people);
    if (!node) continue;
    if (match.index > from) yield* mentioned(text.slice(from, match.index), people, text[from - 1]);
    yield node;
    from = match.index + length;
  }
  if (from < text.length) yield* mentioned(text.slice(from), people, text[from - 1]);
}

// The element that a match stands for, and how much of the text it takes.
function made({ 0: all, groups }, people) {
  const within = (tag, content) => [el(tag, {}, ...inline(content, people)), all.length];
  if (groups.code !== undefined) return [el('code', {}, groups.code), all.length];
  if (groups.target) return [link(groups.target, groups.label), all.length];
  if (groups.address) {
    const address = withoutTrailing(groups.address);
    return [link(address, address), address.length];
  }
  if (groups.strong ?? groups.strong2) return within('strong', groups.strong ?? groups.strong2);
  if (groups.em ?? groups.em2) return within('em', groups.em ?? groups.em2);
  return within('s', groups.strike);
}

function link(address, label) {
  if (!URL.canParse(address)) return null;
  const { protocol, hostname, pathname } = new URL(address);
  if (protocol === 'mailto:' ? !pathname.includes('@') : !/^https?:$/.test(protocol) || !hostname) return null;
  // A label that hides where it leads to says so when pointed at.
  return el('a', { href: address, target: '_blank', rel: 'noopener noreferrer nofollow', title: label === address ? null : address }, label);
}

function* mentioned(text, { known, me }, before = '') {
  let from = 0;
  for (const { index, end, name } of mentionsIn(before + text, known)) {
    const at = index - before.length;
    if (at > from) yield text.slice(from, at);
    yield el('span', { class: folded(name) === folded(me) ? 'mention own' : 'mention' }, text.slice(at, end - before.length));
    from = end - before.length;
  }
  if (from < text.length) yield text.slice(from);
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
