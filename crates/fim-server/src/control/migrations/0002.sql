-- When monitoring was last turned on or off: silence while it was off is nobody's fault.
ALTER TABLE workspaces ADD COLUMN fim_switched_at INTEGER NOT NULL DEFAULT 0;

-- Nothing ever read it; the address of each sign of life is in the table Heartbeat.
ALTER TABLE machines DROP COLUMN address;
