-- Workspaces that are deleted and whose records are not yet removed: the server may end in between.
CREATE TABLE deleted_workspaces (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    deleted_at INTEGER NOT NULL
) STRICT;
