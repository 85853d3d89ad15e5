-- The tables of SQLite, whose migrations say what each is for; and that of the writers. A migration here is no transaction: one
-- that broke off goes on where it was, so each table is made where it is missing.
--
-- What is compared is binary: a collation, even utf8mb4_bin, takes "x" and "x " for one. References are declared where an
-- index stands anyway; elsewhere MySQL would make one, which each message had to pay for.
CREATE TABLE IF NOT EXISTS facts (
    name  VARCHAR(64) NOT NULL PRIMARY KEY,
    value TEXT        NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- A name of 32 characters can be more than five hundred bytes when it is folded.
CREATE TABLE IF NOT EXISTS people (
    id         BIGINT          NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name       VARCHAR(255)    NOT NULL,
    folded     VARBINARY(3000) NOT NULL UNIQUE,
    role       VARCHAR(32)     NOT NULL,
    password   TEXT,
    avatar     MEDIUMBLOB,
    created_at BIGINT          NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS sessions (
    token_hash VARBINARY(32) NOT NULL PRIMARY KEY,
    person_id  BIGINT        NOT NULL,
    created_at BIGINT        NOT NULL,
    seen_at    BIGINT        NOT NULL,
    agent      TEXT          NOT NULL,
    INDEX sessions_by_person (person_id),
    FOREIGN KEY (person_id) REFERENCES people (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS invitations (
    token_hash VARBINARY(32) NOT NULL PRIMARY KEY,
    role       VARCHAR(32)   NOT NULL,
    created_by BIGINT,
    created_at BIGINT        NOT NULL,
    expires_at BIGINT        NOT NULL,
    uses_left  BIGINT        NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS rooms (
    id         BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name       VARCHAR(64) NOT NULL UNIQUE,
    title      TEXT        NOT NULL,
    topic      TEXT        NOT NULL,
    kind       VARCHAR(16) NOT NULL,
    archived   BOOLEAN     NOT NULL,
    maker_id   BIGINT,
    head       BIGINT      NOT NULL,
    created_at BIGINT      NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS members (
    room_id   BIGINT NOT NULL,
    person_id BIGINT NOT NULL,
    since     BIGINT NOT NULL,
    PRIMARY KEY (room_id, person_id),
    INDEX members_by_person (person_id, room_id),
    FOREIGN KEY (room_id) REFERENCES rooms (id),
    FOREIGN KEY (person_id) REFERENCES people (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS messages (
    id        BIGINT         NOT NULL PRIMARY KEY,
    room_id   BIGINT         NOT NULL,
    seq       BIGINT         NOT NULL,
    rev       BIGINT         NOT NULL,
    author_id BIGINT         NOT NULL,
    client_id VARBINARY(512) NOT NULL,
    at        BIGINT         NOT NULL,
    body      MEDIUMTEXT     NOT NULL,
    reply_to  BIGINT,
    edited_at BIGINT,
    deleted   BOOLEAN        NOT NULL DEFAULT FALSE,
    UNIQUE INDEX messages_by_client_id (client_id, author_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS changes (
    room_id    BIGINT NOT NULL,
    rev        BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    PRIMARY KEY (room_id, rev)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS reactions (
    message_id BIGINT        NOT NULL,
    emoji      VARBINARY(64) NOT NULL,
    person_id  BIGINT        NOT NULL,
    rev        BIGINT        NOT NULL,
    PRIMARY KEY (message_id, emoji, person_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS mentions (
    person_id  BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    PRIMARY KEY (person_id, message_id),
    INDEX mentions_by_message (message_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS marks (
    person_id BIGINT NOT NULL,
    room_id   BIGINT NOT NULL,
    rev       BIGINT NOT NULL,
    PRIMARY KEY (person_id, room_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Each server that writes, with the number of its last batch, which is written in the same transaction: whoever lost the
-- connection while it committed looks here whether it did.
CREATE TABLE IF NOT EXISTS writers (
    id    VARCHAR(64) NOT NULL PRIMARY KEY,
    batch BIGINT      NOT NULL,
    at    BIGINT      NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
