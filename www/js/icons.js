// Icons as path data on a 24-unit grid, drawn with the colour of the text around them.

const SVG = 'http://www.w3.org/2000/svg';

// The mark is filled; everything else is a line drawing.
const MARK = 'M3 10.5a9 9 0 1 1 9 9h-2.25L3 23.6z M12 6.4a4.1 4.1 0 1 0 0 8.2 4.1 4.1 0 1 0 0-8.2z';

const PATHS = {
  menu: 'M4 7h16M4 12h16M4 17h10',
  more: 'M6 12h.01M12 12h.01M18 12h.01',
  plus: 'M12 6v12M6 12h12',
  close: 'M6.5 6.5l11 11M17.5 6.5l-11 11',
  leave: 'M10 5H6.5A1.5 1.5 0 0 0 5 6.5v11A1.5 1.5 0 0 0 6.5 19H10M14.5 8l4 4-4 4M18 12h-8.5',
  people: 'M9 11.5a3.25 3.25 0 1 0 0-6.5 3.25 3.25 0 0 0 0 6.5zM3 19c.4-3 2.8-4.75 6-4.75S14.6 16 15 19M15.75 5.3a3.25 3.25 0 0 1 0 5.9M17.5 14.7c2 .6 3.2 2.1 3.5 4.3',
  wire: 'M4 8.5h13M14 5l3.5 3.5L14 12M20 15.5H7M10 12l-3.5 3.5L10 19',
  down: 'M12 5v13M6.5 12.5L12 18l5.5-5.5',
  send: 'M12 19V6M6.5 11L12 5.5 17.5 11',
  pending: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 8v4.5l2.5 1.5',
  sent: 'M6 12.5l4 4 8-9',
  failed: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 8v5M12 16h.01',
  pause: 'M9 6v12M15 6v12',
  play: 'M8 5.5l10 6.5-10 6.5z',
  clear: 'M5 7h14M10 7V5h4v2M7 7l.8 12h8.4L17 7',
  chevron: 'M9 6l6 6-6 6',
};

/** An icon by name; `mark` is Parlor's own. Decorative: the button around it carries the name. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', name === 'mark' ? 'icon mark' : 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', name === 'mark' ? MARK : PATHS[name]);
  svg.append(path);
  return svg;
}
