-- A session is taken only with its key, of which the digest is kept, and only on the transport on which it was made. Those
-- of before have no key: who was signed in signs in again.
DROP TABLE sessions;
CREATE TABLE sessions (
    digest     BLOB PRIMARY KEY,
    key_digest BLOB NOT NULL,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    is_plain   INTEGER NOT NULL CHECK (is_plain IN (0, 1)),
    by_link    INTEGER NOT NULL CHECK (by_link IN (0, 1)),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
