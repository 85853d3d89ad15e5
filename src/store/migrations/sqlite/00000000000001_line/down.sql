DROP TABLE marks;
DROP TABLE messages;
DROP TABLE rooms;
DROP TABLE sessions;
DROP TABLE people;
DROP TABLE facts;
