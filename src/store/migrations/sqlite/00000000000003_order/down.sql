DROP TABLE deeds;
DROP TABLE banned_networks;
DROP TABLE sanctions;
ALTER TABLE rooms DROP COLUMN read_only;
ALTER TABLE rooms DROP COLUMN slow;
