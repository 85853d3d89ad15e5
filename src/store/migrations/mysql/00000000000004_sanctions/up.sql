CREATE TABLE IF NOT EXISTS sanctions (
    person_id BIGINT        NOT NULL,
    penalty   VARCHAR(32)   NOT NULL,
    until     BIGINT,
    reason    TEXT          NOT NULL,
    by_name   TEXT          NOT NULL,
    at        BIGINT        NOT NULL,
    PRIMARY KEY (person_id, penalty),
    FOREIGN KEY (person_id) REFERENCES people (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS banned_networks (
    person_id BIGINT         NOT NULL,
    network   VARBINARY(128) NOT NULL,
    PRIMARY KEY (person_id, network),
    FOREIGN KEY (person_id) REFERENCES people (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS deeds (
    id      BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    at      BIGINT NOT NULL,
    by_name TEXT   NOT NULL,
    act     TEXT   NOT NULL,
    whom    TEXT,
    room    TEXT,
    detail  TEXT,
    reason  TEXT
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
