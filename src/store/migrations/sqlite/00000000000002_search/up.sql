-- The words of all messages, as `words` cuts them, and beside them whose and where a message is. The text itself stands in
-- `messages` alone. `rowid` is the `n` of search_places.
CREATE VIRTUAL TABLE search_words USING fts5 (words, content = '', contentless_delete = 1, tokenize = 'ascii');

-- The messages in the order in which they came, over all rooms: the newest are found first without sorting.
CREATE TABLE search_places (
    n          INTEGER NOT NULL PRIMARY KEY,
    message_id BIGINT  NOT NULL UNIQUE
);

-- How far the index has come in each room: it has all messages up to `seq`, with all their changes up to `rev`.
CREATE TABLE search_marks (
    room_id INTEGER NOT NULL PRIMARY KEY,
    seq     BIGINT  NOT NULL,
    rev     BIGINT  NOT NULL
);
