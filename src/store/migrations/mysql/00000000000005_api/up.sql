CREATE TABLE IF NOT EXISTS tokens (
    token_hash VARBINARY(32) NOT NULL PRIMARY KEY,
    person_id  BIGINT        NOT NULL,
    label      TEXT          NOT NULL,
    created_at BIGINT        NOT NULL,
    used_at    BIGINT,
    INDEX tokens_by_person (person_id),
    FOREIGN KEY (person_id) REFERENCES people (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS bots (
    person_id  BIGINT NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL,
    FOREIGN KEY (person_id) REFERENCES people (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS webhooks (
    id           VARCHAR(64) NOT NULL PRIMARY KEY,
    person_id    BIGINT      NOT NULL,
    room_id      BIGINT,
    url          TEXT        NOT NULL,
    secret       TEXT        NOT NULL,
    created_at   BIGINT      NOT NULL,
    delivered_at BIGINT,
    attempts     BIGINT      NOT NULL,
    paused       BOOLEAN     NOT NULL,
    error        TEXT
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS webhook_marks (
    webhook_id VARCHAR(64) NOT NULL,
    room_id    BIGINT      NOT NULL,
    rev        BIGINT      NOT NULL,
    PRIMARY KEY (webhook_id, room_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
