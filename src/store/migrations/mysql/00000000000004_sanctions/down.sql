DROP TABLE deeds, banned_networks, sanctions;
