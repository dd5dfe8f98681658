-- How long records stay, how much may come in a day, and where the meters stood.

CREATE TABLE storage_settings (
    workspace_id    TEXT PRIMARY KEY REFERENCES workspaces (id) ON DELETE CASCADE,
    retention_days  INTEGER CHECK (retention_days > 0),
    daily_cap_bytes INTEGER CHECK (daily_cap_bytes > 0)
) STRICT;

CREATE TABLE table_retentions (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    table_name   TEXT NOT NULL,
    days         INTEGER NOT NULL CHECK (days > 0),
    PRIMARY KEY (workspace_id, table_name)
) STRICT;

-- What a table's meter showed when the current hour and the current day began.
CREATE TABLE meter_readings (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    table_name   TEXT NOT NULL,
    period       TEXT NOT NULL CHECK (period IN ('hour', 'day')),
    begins       INTEGER NOT NULL,
    rows         INTEGER NOT NULL,
    billed_bytes REAL NOT NULL,
    PRIMARY KEY (workspace_id, table_name, period)
) STRICT;

-- A machine with what its resource id is made of.
CREATE VIEW machines_in_place AS
    SELECT m.*, w.name AS workspace_name, w.subscription_id AS subscription_id
    FROM machines m JOIN workspaces w ON w.id = m.workspace_id;
