-- The words of all messages, as SQLite's migration says.
CREATE TABLE search_words (
    rowid BIGINT   NOT NULL PRIMARY KEY,
    words TSVECTOR NOT NULL
);
CREATE INDEX search_words_by_word ON search_words USING gin (words);

CREATE TABLE search_places (
    n          BIGINT NOT NULL PRIMARY KEY,
    message_id BIGINT NOT NULL UNIQUE
);

CREATE TABLE search_marks (
    room_id BIGINT NOT NULL PRIMARY KEY,
    seq     BIGINT NOT NULL,
    rev     BIGINT NOT NULL
);
