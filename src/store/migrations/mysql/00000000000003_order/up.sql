-- One statement, for MySQL itself knows no IF NOT EXISTS here: it is done or not.
ALTER TABLE rooms ADD COLUMN slow BIGINT NOT NULL DEFAULT 0, ADD COLUMN read_only BOOLEAN NOT NULL DEFAULT FALSE;
