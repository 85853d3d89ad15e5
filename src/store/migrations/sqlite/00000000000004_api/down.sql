DROP TABLE webhook_marks;
DROP TABLE webhooks;
DROP TABLE bots;
DROP TABLE tokens;
