DROP TABLE writers, mentions, reactions, marks, changes, messages, members, rooms, invitations, sessions, people, facts;
