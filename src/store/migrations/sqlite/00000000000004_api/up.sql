-- What a program shows to come in as a person: the SHA-256 of a token, under a label of the person's own.
CREATE TABLE tokens (
    token_hash BLOB    NOT NULL PRIMARY KEY,
    person_id  BIGINT  NOT NULL REFERENCES people (id),
    label      TEXT    NOT NULL,
    created_at BIGINT  NOT NULL,
    used_at    BIGINT
);
CREATE INDEX tokens_by_person ON tokens (person_id);

-- Which people are programs. Each has an account whose password nobody can know.
CREATE TABLE bots (
    person_id  BIGINT  NOT NULL PRIMARY KEY REFERENCES people (id),
    created_at BIGINT  NOT NULL
);

-- Where messages are sent to: those of a room, or without one those that speak to the person. `attempts` failed one after
-- the other, the last of them with `error`; after too many the webhook is paused.
CREATE TABLE webhooks (
    id           TEXT    NOT NULL PRIMARY KEY,
    person_id    BIGINT  NOT NULL REFERENCES people (id),
    room_id      BIGINT  REFERENCES rooms (id),
    url          TEXT    NOT NULL,
    secret       TEXT    NOT NULL,
    created_at   BIGINT  NOT NULL,
    delivered_at BIGINT,
    attempts     BIGINT  NOT NULL,
    paused       BOOLEAN NOT NULL,
    error        TEXT
);

-- Up to which number of a room a webhook has sent what concerns it. Where there is no mark, nothing was said before it was made.
CREATE TABLE webhook_marks (
    webhook_id TEXT   NOT NULL REFERENCES webhooks (id),
    room_id    BIGINT NOT NULL REFERENCES rooms (id),
    rev        BIGINT NOT NULL,
    PRIMARY KEY (webhook_id, room_id)
);
