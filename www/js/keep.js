// What the browser remembers. Storage may be full, forbidden or absent: then the page forgets, and works.

class Keep {
  #storage;

  constructor(find) {
    try { this.#storage = find(); } catch { this.#storage = null; }
  }

  read(key, otherwise = null) {
    try { return JSON.parse(this.#storage.getItem(`parlor.${key}`)) ?? otherwise; } catch { return otherwise; }
  }

  write(key, value) {
    try { this.#storage.setItem(`parlor.${key}`, JSON.stringify(value)); } catch { /* forgotten, see above */ }
  }

  remove(key) {
    try { this.#storage.removeItem(`parlor.${key}`); } catch { /* as above */ }
  }
}

/** Lives as long as the browser; shared by its tabs: name, rooms, drafts. */
export const browser = new Keep(() => localStorage);

/** Lives as long as the tab, reloads included: posts not yet confirmed. */
export const tab = new Keep(() => sessionStorage);
