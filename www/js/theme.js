// Light, dark, or as the system has it. The colours themselves are in css/base.css.

import { browser } from './keep.js';

export const THEMES = ['system', 'light', 'dark'];

export const theme = () => browser.read('theme', 'system');

export function showTheme(chosen = theme()) {
  browser.write('theme', chosen);
  if (chosen === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}
