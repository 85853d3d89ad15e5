-- What is true of the database as a whole: its epoch.
CREATE TABLE facts (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Whoever has posted, read or signed in. `folded` is the name as names are compared: two that look alike are one. Whoever has a
-- password (argon2id, as a PHC string) has an account; the others are guests.
CREATE TABLE people (
    id         INTEGER NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    folded     TEXT    NOT NULL UNIQUE,
    role       TEXT    NOT NULL,
    password   TEXT,
    avatar     BLOB,
    created_at BIGINT  NOT NULL
);

-- A cookie's token, as its SHA-256. `agent` is what the browser calls itself.
CREATE TABLE sessions (
    token_hash BLOB    NOT NULL PRIMARY KEY,
    person_id  BIGINT  NOT NULL REFERENCES people (id),
    created_at BIGINT  NOT NULL,
    seen_at    BIGINT  NOT NULL,
    agent      TEXT    NOT NULL
);
CREATE INDEX sessions_by_person ON sessions (person_id);

-- Leave to make an account, as the SHA-256 of the token in its link. Nobody made those that the server itself gave out.
CREATE TABLE invitations (
    token_hash BLOB    NOT NULL PRIMARY KEY,
    role       TEXT    NOT NULL,
    created_by BIGINT  REFERENCES people (id),
    created_at BIGINT  NOT NULL,
    expires_at BIGINT  NOT NULL,
    uses_left  BIGINT  NOT NULL
);

-- `head` is the number given last in the room; `maker_id` may change it, and passes on when its maker goes for good.
CREATE TABLE rooms (
    id         INTEGER NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    title      TEXT    NOT NULL,
    topic      TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    archived   BOOLEAN NOT NULL,
    maker_id   BIGINT  REFERENCES people (id),
    head       BIGINT  NOT NULL,
    created_at BIGINT  NOT NULL
);

-- Who is in a room that is not open to all.
CREATE TABLE members (
    room_id   BIGINT NOT NULL REFERENCES rooms (id),
    person_id BIGINT NOT NULL REFERENCES people (id),
    since     BIGINT NOT NULL,
    PRIMARY KEY (room_id, person_id)
);
CREATE INDEX members_by_person ON members (person_id, room_id);

-- `seq` is the number a message was born with, `rev` that of its last change; both come from the room's one counter.
-- `id` is room_id * 2^40 + seq: a room's messages lie together, in the order of their birth, without an index.
-- `reply_to` is the seq of a message of the same room. Of one that was deleted the body is empty.
CREATE TABLE messages (
    id        INTEGER NOT NULL PRIMARY KEY,
    room_id   BIGINT  NOT NULL REFERENCES rooms (id),
    seq       BIGINT  NOT NULL,
    rev       BIGINT  NOT NULL,
    author_id BIGINT  NOT NULL REFERENCES people (id),
    client_id TEXT    NOT NULL,
    at        BIGINT  NOT NULL,
    body      TEXT    NOT NULL,
    reply_to  BIGINT,
    edited_at BIGINT,
    deleted   BOOLEAN NOT NULL DEFAULT FALSE
);
-- Most messages are never changed, and cost nothing here.
CREATE UNIQUE INDEX messages_changed ON messages (room_id, rev) WHERE rev <> seq;
-- Posting twice is posting once. The client's id stands first, so that a batch is looked up by ids alone.
CREATE UNIQUE INDEX messages_by_client_id ON messages (client_id, author_id);

-- Who has answered a message with which sign; `rev` is the number that this took, and so the order.
CREATE TABLE reactions (
    message_id BIGINT NOT NULL REFERENCES messages (id),
    emoji      TEXT   NOT NULL,
    person_id  BIGINT NOT NULL REFERENCES people (id),
    rev        BIGINT NOT NULL,
    PRIMARY KEY (message_id, emoji, person_id)
);

-- Who is spoken to in which message.
CREATE TABLE mentions (
    person_id  BIGINT NOT NULL REFERENCES people (id),
    message_id BIGINT NOT NULL REFERENCES messages (id),
    PRIMARY KEY (person_id, message_id)
);
-- An edit or deletion asks by message.
CREATE INDEX mentions_by_message ON mentions (message_id);

-- How far a person has read in a room.
CREATE TABLE marks (
    person_id BIGINT NOT NULL REFERENCES people (id),
    room_id   BIGINT NOT NULL REFERENCES rooms (id),
    rev       BIGINT NOT NULL,
    PRIMARY KEY (person_id, room_id)
);
