-- SPDX-License-Identifier: MIT
-- A lending library in memory: tables, indexes, joins, deletes. All of it is computed from row
-- numbers, so that every run asks for the same memory.
PRAGMA page_size = 1024;
PRAGMA temp_store = MEMORY;

CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE book (
	id INTEGER PRIMARY KEY,
	author INTEGER NOT NULL REFERENCES author (id),
	title TEXT NOT NULL,
	year INTEGER NOT NULL
);
CREATE TABLE loan (
	id INTEGER PRIMARY KEY,
	book INTEGER NOT NULL REFERENCES book (id),
	reader TEXT NOT NULL,
	day INTEGER NOT NULL,
	days INTEGER NOT NULL
);
CREATE INDEX book_by_author ON book (author, year);
CREATE INDEX loan_by_book ON loan (book, day);

WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)
INSERT INTO author SELECT i, printf('Author %s-%d', hex(i * 7919), i) FROM n;

WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
INSERT INTO book
SELECT i, 1 + i * 37 % 150, printf('Volume %d of %.*c', i, 5 + i * 13 % 40, 'x'), 1800 + i * 17 % 220
FROM n;

WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
INSERT INTO loan
SELECT i, 1 + i * 101 % 1000, printf('reader %d', i * 31 % 400), i / 4, 1 + i * 7 % 40 FROM n;

-- The busiest authors, and how long their books stay away.
SELECT a.name, count(*) AS loans, round(avg(l.days), 2), group_concat(DISTINCT l.reader)
FROM author a JOIN book b ON b.author = a.id JOIN loan l ON l.book = b.id
GROUP BY a.id ORDER BY loans DESC, a.name LIMIT 40;

-- Books nobody has taken since some day.
SELECT b.title, max(l.day) FROM book b LEFT JOIN loan l ON l.book = b.id
GROUP BY b.id HAVING max(l.day) IS NULL OR max(l.day) < 300 ORDER BY b.title;

-- Readers who met the same author twice within ten days.
SELECT l.reader, a.name, count(*)
FROM loan l JOIN book b ON b.id = l.book JOIN author a ON a.id = b.author
WHERE EXISTS (
	SELECT 1 FROM loan m JOIN book c ON c.id = m.book
	WHERE c.author = b.author AND m.reader = l.reader AND m.id <> l.id
		AND m.day BETWEEN l.day AND l.day + 10
)
GROUP BY l.reader, a.name ORDER BY 3 DESC, 1, 2;

BEGIN;
DELETE FROM loan WHERE day < 200;
DELETE FROM book WHERE id NOT IN (SELECT book FROM loan);
UPDATE book SET title = upper(title) || ' (second edition)' WHERE year > 1950;
COMMIT;

CREATE TABLE shelf AS
SELECT year / 10 * 10 AS decade, group_concat(title, '; ') AS titles FROM book GROUP BY 1;
SELECT decade, length(titles), substr(titles, 1, 60) FROM shelf ORDER BY decade;
DROP TABLE loan;
VACUUM;
SELECT count(*), sum(length(titles)) FROM shelf;
