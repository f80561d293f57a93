-- People are found by any capitalization, changed with a version, and listed newest first.

ALTER TABLE users ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();

-- Ana@Example.org and ana@example.org are one person.  The index of addresses is made first, since
-- PostgreSQL names the first one that refuses: a user name is often the address.
ALTER TABLE users DROP CONSTRAINT users_username_unique, DROP CONSTRAINT users_email_unique;
CREATE UNIQUE INDEX users_email_unique ON users (lower(email));
CREATE UNIQUE INDEX users_username_unique ON users (lower(username));

CREATE INDEX users_newest ON users (created_at DESC, id DESC);
