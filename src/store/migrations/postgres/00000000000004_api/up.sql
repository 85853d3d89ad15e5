CREATE TABLE tokens (
    token_hash BYTEA  NOT NULL PRIMARY KEY,
    person_id  BIGINT NOT NULL REFERENCES people (id),
    label      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX tokens_by_person ON tokens (person_id);

CREATE TABLE bots (
    person_id  BIGINT NOT NULL PRIMARY KEY REFERENCES people (id),
    created_at BIGINT NOT NULL
);

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

CREATE TABLE webhook_marks (
    webhook_id TEXT   NOT NULL REFERENCES webhooks (id),
    room_id    BIGINT NOT NULL REFERENCES rooms (id),
    rev        BIGINT NOT NULL,
    PRIMARY KEY (webhook_id, room_id)
);
