DROP TABLE writers, mentions, reactions, marks, changes, messages, members, sessions, invitations, rooms, people, facts;
