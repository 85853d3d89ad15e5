-- The words of all messages, as SQLite's migration says, each in letters and digits that every setting of the server takes for one
-- word, and no list of words to leave out knows.
CREATE TABLE IF NOT EXISTS search_words (
    rowid BIGINT   NOT NULL PRIMARY KEY,
    words LONGTEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    FULLTEXT INDEX search_words_by_word (words)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS search_places (
    n          BIGINT NOT NULL PRIMARY KEY,
    message_id BIGINT NOT NULL UNIQUE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS search_marks (
    room_id BIGINT NOT NULL PRIMARY KEY,
    seq     BIGINT NOT NULL,
    rev     BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
