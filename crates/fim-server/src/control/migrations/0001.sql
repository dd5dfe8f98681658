-- What the server is told and decides: everything but the records themselves.
-- Moments are nanoseconds since 1970. Secrets are kept as digests only.

CREATE TABLE server_state (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE subscriptions (
    id   TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE
) STRICT;

CREATE TABLE workspaces (
    id                    TEXT PRIMARY KEY,
    name                  TEXT NOT NULL UNIQUE COLLATE NOCASE,
    location              TEXT NOT NULL,
    subscription_id       TEXT NOT NULL REFERENCES subscriptions (id),
    fim_enabled           INTEGER NOT NULL CHECK (fim_enabled IN (0, 1)),
    scan_interval_seconds INTEGER NOT NULL CHECK (scan_interval_seconds > 0),
    settings_revision     INTEGER NOT NULL,
    created_at            INTEGER NOT NULL
) STRICT;

CREATE TABLE rules (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name         TEXT NOT NULL COLLATE NOCASE,
    rule_group   TEXT NOT NULL,
    type         TEXT NOT NULL,
    path         TEXT NOT NULL,
    exclude      TEXT NOT NULL,
    recurse      INTEGER NOT NULL CHECK (recurse IN (0, 1)),
    links        TEXT NOT NULL,
    path_type    TEXT NOT NULL,
    enabled      INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    UNIQUE (workspace_id, name)
) STRICT;

CREATE TABLE machines (
    id               TEXT PRIMARY KEY,
    workspace_id     TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name             TEXT NOT NULL,
    os_type          TEXT NOT NULL,
    os_name          TEXT NOT NULL,
    agent_version    TEXT NOT NULL,
    enrolled_at      INTEGER NOT NULL,
    removed_at       INTEGER,
    last_seen        INTEGER,
    last_row         INTEGER,
    address          TEXT NOT NULL DEFAULT '',
    heartbeat        TEXT
) STRICT;
CREATE INDEX machines_of_a_workspace ON machines (workspace_id, name);

CREATE TABLE enrollment_tokens (
    digest       BLOB PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    created_by   TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    used_at      INTEGER
) STRICT;

CREATE TABLE open_gaps (
    machine_id TEXT NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
    scope      TEXT NOT NULL,
    cause      TEXT NOT NULL,
    start      INTEGER NOT NULL,
    detail     TEXT NOT NULL,
    PRIMARY KEY (machine_id, scope, cause, start)
) STRICT;

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password_hash TEXT,
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE grants (
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role         TEXT NOT NULL,
    workspace_id TEXT REFERENCES workspaces (id) ON DELETE CASCADE
) STRICT;

CREATE TABLE sessions (
    digest     BLOB PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sign_in_codes (
    digest     BLOB PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_tokens (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL UNIQUE COLLATE NOCASE,
    digest       BLOB NOT NULL UNIQUE,
    role         TEXT NOT NULL,
    workspace_id TEXT REFERENCES workspaces (id) ON DELETE CASCADE,
    created_by   TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER
) STRICT;

CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    actor  TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
