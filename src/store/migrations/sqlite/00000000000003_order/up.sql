-- Seconds between two posts of one person in a room, and whether only those who look after it may post.
ALTER TABLE rooms ADD COLUMN slow BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN read_only BOOLEAN NOT NULL DEFAULT FALSE;

-- Who may not speak (`mute`) or not come in (`ban`). Without `until` it is so until somebody lifts it.
CREATE TABLE sanctions (
    person_id BIGINT NOT NULL REFERENCES people (id),
    penalty   TEXT   NOT NULL,
    until     BIGINT,
    reason    TEXT   NOT NULL,
    by_name   TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (person_id, penalty)
);

-- From where nobody comes in while that person is banned: one address of IPv4, a household's network of IPv6.
CREATE TABLE banned_networks (
    person_id BIGINT NOT NULL REFERENCES people (id),
    network   TEXT   NOT NULL,
    PRIMARY KEY (person_id, network)
);

-- What was done to keep order. Names as they were at the time: it is a record of what happened, not of how things stand.
CREATE TABLE deeds (
    id      INTEGER NOT NULL PRIMARY KEY,
    at      BIGINT  NOT NULL,
    by_name TEXT    NOT NULL,
    act     TEXT    NOT NULL,
    whom    TEXT,
    room    TEXT,
    detail  TEXT,
    reason  TEXT
);
