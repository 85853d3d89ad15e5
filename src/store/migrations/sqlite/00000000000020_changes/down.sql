CREATE UNIQUE INDEX messages_changed ON messages (room_id, rev) WHERE rev <> seq;
DROP TABLE changes;
