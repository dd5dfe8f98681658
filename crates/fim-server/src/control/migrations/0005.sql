-- How often the lists of a machine and its whole inventory are collected, in seconds; nothing if they are not. The
-- published intervals: daemons and software each five minutes, the inventory each ten hours.
ALTER TABLE workspaces ADD COLUMN daemon_interval_seconds INTEGER DEFAULT 300 CHECK (daemon_interval_seconds > 0);
ALTER TABLE workspaces ADD COLUMN software_interval_seconds INTEGER DEFAULT 300 CHECK (software_interval_seconds > 0);
ALTER TABLE workspaces ADD COLUMN inventory_interval_seconds INTEGER DEFAULT 36000 CHECK (inventory_interval_seconds > 0);
