-- demo.sql - a few people and some hundred tasks to look at; the same each time it is loaded.
--
-- For an empty database: whoever loads it makes sure of that (stack/demo.sql).

INSERT INTO users (username, name, email, role) VALUES
	('demo', 'Demo', 'demo@example.org', 'user'),
	('ana', 'Ana Souza', 'ana@example.org', 'manager'),
	('bruno', 'Bruno Lima', 'bruno@example.org', 'user'),
	('clara', 'Clara Weiß', 'clara@example.org', 'user');

-- 320 tasks of the demo user: every verb meets every thing, an hour apart, most of them done.
WITH verbs (v, verb) AS (
	VALUES (0, 'Write'), (1, 'Review'), (2, 'Plan'), (3, 'Fix'), (4, 'Measure'), (5, 'Call about'),
	       (6, 'Order'), (7, 'Tidy up'), (8, 'Test'), (9, 'Translate')
), things (t, thing, why) AS (
	VALUES (0, 'the quarterly report', 'The board meets on Thursday.'),
	       (1, 'the backup', 'A backup nobody restored is a hope.'),
	       (2, 'the sign-in page', 'Two people could not find it.'),
	       (3, 'the price list', ''),
	       (4, 'the office plants', 'They like it less dry.'),
	       (5, 'the slow query', 'It takes 800 ms over raw rows.'),
	       (6, 'the invoice of March', ''),
	       (7, 'the summer party', 'Ask who eats what.'),
	       (8, 'the new printer', ''),
	       (9, 'the café menu', 'São Paulo wants it in Portuguese too.'),
	       (10, 'the onboarding notes', ''),
	       (11, 'the release', 'With the changelog this time.'),
	       (12, 'the alarm rules', 'The right person, once.'),
	       (13, 'the meeting room', ''),
	       (14, 'the mail to Bruno', 'He waits for the numbers.'),
	       (15, 'the map of the warehouse', ''),
	       (16, 'the travel costs', ''),
	       (17, 'the customer survey', 'Five questions, not fifty.'),
	       (18, 'the certificates', 'They end in December.'),
	       (19, 'the desk lamps', ''),
	       (20, 'the team photo', ''),
	       (21, 'the parking spaces', ''),
	       (22, 'the glossary', 'German, Portuguese, English.'),
	       (23, 'the coffee machine', 'Again.'),
	       (24, 'the contract with the courier', ''),
	       (25, 'the visitors'' badges', ''),
	       (26, 'the night shift plan', ''),
	       (27, 'the old servers', 'Wipe the disks first.'),
	       (28, 'the returns', ''),
	       (29, 'the labels', ''),
	       (30, 'the budget', 'Leave room for the lamps.'),
	       (31, 'the fire drill', '')
)
INSERT INTO tasks (user_id, title, description, completed, created_at, updated_at)
SELECT users.id, verb || ' ' || thing, why, (v * 7 + t * 3) % 5 < 3,
       now() - (v * 32 + t) * interval '1 hour', now() - (v * 32 + t) * interval '1 hour'
FROM users, verbs, things
WHERE username = 'demo'
ORDER BY v DESC, t DESC;

INSERT INTO tasks (user_id, title)
SELECT id, 'Say hello to ' || CASE username WHEN 'ana' THEN 'Bruno' ELSE 'Ana' END
FROM users WHERE username <> 'demo';
