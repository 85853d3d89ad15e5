// Mentions: who is spoken to in a text, by @ and a name. Pure. The server finds them in the same way.

const LONGEST = 32;
const WORD = /[\p{Alphabetic}\p{N}_-]/u;

/** Names as they are compared: Ann and ANN are one person. */
export const folded = name => name.toLowerCase();

/**
 * The mentions in `text` of people in `known`, a set of folded names: {index, end, name}. A name may have spaces in it, so
 * of those that fit the longest counts.
 */
export function* mentionsIn(text, known) {
  for (let index = text.indexOf('@'); index !== -1; index = text.indexOf('@', index + 1)) {
    if (beginsName(text, index)) {
      const name = candidates(text.slice(index + 1)).find(name => known.has(folded(name)));
      if (name) yield { index, end: index + 1 + name.length, name };
    }
  }
}

/** Whether the text speaks to `me`, where the others of `known` are. */
export function speaksTo(body, me, known) {
  for (const { name } of mentionsIn(body, known)) if (folded(name) === folded(me)) return true;
  return false;
}

/** An @ within a word is an address's. */
export const beginsName = (text, index) => !WORD.test([...text.slice(Math.max(0, index - 2), index)].at(-1) ?? ' ');

// What the name at the start of a text may be, the longest first. It ends where no word goes on.
function candidates(text) {
  const names = [];
  if (/^\s/.test(text)) return names;
  let name = '';
  const chars = [...text.slice(0, 2 * LONGEST + 2)];
  for (const [at, char] of chars.slice(0, LONGEST).entries()) {
    if (char === ':' || /\p{Cc}/u.test(char)) break;
    name += char;
    if (!/\s/.test(char) && !WORD.test(chars[at + 1] ?? ' ')) names.unshift(name);
  }
  return names;
}
