DROP TABLE webhook_marks, webhooks, bots, tokens;
