//! The tables, in the SQL that SQLite, PostgreSQL and CockroachDB share. A released step is never changed.

use matinee_engines::sql::Migration;

/// `seq` of an announcement, and of a change, is the order of the writes over all titles.
pub(super) const MIGRATIONS: [Migration; 2] = [
    Migration {
        version: 1,
        name: "titles",
        sql: "
        CREATE TABLE title (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            description TEXT NOT NULL,
            credits TEXT NOT NULL,
            license TEXT NOT NULL,
            artwork TEXT,
            version TEXT,
            duration_us BIGINT,
            published_us BIGINT,
            created_us BIGINT NOT NULL,
            revision BIGINT NOT NULL,
            CHECK ((version IS NULL) = (duration_us IS NULL) AND (version IS NULL) = (published_us IS NULL))
        );
        CREATE TABLE announcement (
            title TEXT NOT NULL,
            revision BIGINT NOT NULL,
            version TEXT NOT NULL,
            at_us BIGINT NOT NULL,
            seq BIGINT NOT NULL,
            PRIMARY KEY (title, revision)
        );
        CREATE INDEX announcement_order ON announcement (seq);
        CREATE TABLE announcement_seq (one BIGINT PRIMARY KEY CHECK (one = 1), next BIGINT NOT NULL);
        INSERT INTO announcement_seq (one, next) VALUES (1, 1);
    ",
    },
    // `details` and `pictures` are messages of the contract; `shown_us` is a series', when its newest episode was
    // published. A title that is gone keeps its revision, so that one that comes back under its id goes on from there.
    Migration {
        version: 2,
        name: "series, people, genres, changes",
        sql: "
        ALTER TABLE title ADD COLUMN kind TEXT NOT NULL DEFAULT 'movie';
        ALTER TABLE title ADD COLUMN series TEXT;
        ALTER TABLE title ADD COLUMN season BIGINT;
        ALTER TABLE title ADD COLUMN episode BIGINT;
        ALTER TABLE title ADD COLUMN shown_us BIGINT;
        ALTER TABLE title ADD COLUMN details BYTEA;
        ALTER TABLE title ADD COLUMN pictures BYTEA;
        CREATE UNIQUE INDEX title_episode ON title (series, season, episode);
        CREATE INDEX title_kind ON title (kind, id);
        CREATE TABLE title_genre (title TEXT NOT NULL, genre TEXT NOT NULL, PRIMARY KEY (title, genre));
        CREATE INDEX title_by_genre ON title_genre (genre, title);
        CREATE TABLE title_person (title TEXT NOT NULL, person TEXT NOT NULL, PRIMARY KEY (title, person));
        CREATE INDEX title_by_person ON title_person (person, title);
        CREATE TABLE person (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            biography TEXT NOT NULL,
            born TEXT NOT NULL,
            revision BIGINT NOT NULL
        );
        CREATE TABLE gone_title (title TEXT PRIMARY KEY, revision BIGINT NOT NULL);
        CREATE TABLE title_change (seq BIGINT PRIMARY KEY, title TEXT NOT NULL, payload BYTEA NOT NULL);
    ",
    },
];
