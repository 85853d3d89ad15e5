DROP TABLE deeds, banned_networks, sanctions;
ALTER TABLE rooms DROP COLUMN read_only, DROP COLUMN slow;
