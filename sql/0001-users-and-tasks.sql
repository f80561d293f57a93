-- Who there is, and what they have to do.

CREATE TABLE users (
	id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	username      text NOT NULL,
	name          text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
	email         text NOT NULL,
	password_hash text,             -- none: nobody signs in with a password
	role          text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'manager', 'admin')),
	version       bigint NOT NULL DEFAULT 1,
	created_at    timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT users_username_unique UNIQUE (username),
	CONSTRAINT users_email_unique UNIQUE (email)
);

CREATE TABLE tasks (
	id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_id     bigint NOT NULL REFERENCES users ON DELETE CASCADE,
	title       text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
	description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 10000),
	completed   boolean NOT NULL DEFAULT false,
	version     bigint NOT NULL DEFAULT 1,
	created_at  timestamptz NOT NULL DEFAULT now(),
	updated_at  timestamptz NOT NULL DEFAULT now(),
	-- 'simple' keeps every word as it is: tasks are written in any language.
	search      tsvector GENERATED ALWAYS AS (to_tsvector('simple', title || ' ' || description)) STORED
);

-- One range of it is one page of a user's list, newest first.
CREATE INDEX tasks_of_user ON tasks (user_id, created_at DESC, id DESC);
CREATE INDEX tasks_completed ON tasks (completed);
CREATE INDEX tasks_search ON tasks USING gin (search);
