-- The messages that were changed, by the number of their last change. Most never are, and cost nothing here. It takes the place
-- of an index on a part of the messages, which not every database can have.
CREATE TABLE changes (
    room_id    BIGINT NOT NULL REFERENCES rooms (id),
    rev        BIGINT NOT NULL,
    message_id BIGINT NOT NULL REFERENCES messages (id),
    PRIMARY KEY (room_id, rev)
) WITHOUT ROWID;
INSERT INTO changes SELECT room_id, rev, id FROM messages WHERE rev <> seq;
DROP INDEX messages_changed;
