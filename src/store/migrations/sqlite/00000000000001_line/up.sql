-- What is true of the database as a whole: its epoch.
CREATE TABLE facts (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Whoever has posted, read or signed in. `folded` is the name as names are compared.
CREATE TABLE people (
    id         INTEGER NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    folded     TEXT    NOT NULL UNIQUE,
    role       TEXT    NOT NULL,
    created_at BIGINT  NOT NULL
);

-- A cookie's token, as its SHA-256.
CREATE TABLE sessions (
    token_hash BLOB    NOT NULL PRIMARY KEY,
    person_id  BIGINT  NOT NULL REFERENCES people (id),
    created_at BIGINT  NOT NULL
);

-- `head` is the number given last in the room.
CREATE TABLE rooms (
    id         INTEGER NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    title      TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    head       BIGINT  NOT NULL,
    created_at BIGINT  NOT NULL
);

-- `seq` is the number a message was born with, `rev` that of its last change; both come from the room's one counter.
-- `id` is room_id * 2^40 + seq: a room's messages lie together, in the order of their birth, without an index.
CREATE TABLE messages (
    id        INTEGER NOT NULL PRIMARY KEY,
    room_id   BIGINT  NOT NULL REFERENCES rooms (id),
    seq       BIGINT  NOT NULL,
    rev       BIGINT  NOT NULL,
    author_id BIGINT  NOT NULL REFERENCES people (id),
    client_id TEXT    NOT NULL,
    at        BIGINT  NOT NULL,
    body      TEXT    NOT NULL
);
-- Most messages are never changed, and cost nothing here.
CREATE UNIQUE INDEX messages_changed ON messages (room_id, rev) WHERE rev <> seq;
-- Posting twice is posting once. The client's id stands first, so that a batch is looked up by ids alone.
CREATE UNIQUE INDEX messages_by_client_id ON messages (client_id, author_id);

-- How far a person has read in a room.
CREATE TABLE marks (
    person_id BIGINT NOT NULL REFERENCES people (id),
    room_id   BIGINT NOT NULL REFERENCES rooms (id),
    rev       BIGINT NOT NULL,
    PRIMARY KEY (person_id, room_id)
);
