-- The seconds between two signs of life that the agent was told last: until it is told others, it keeps to them.
ALTER TABLE machines ADD COLUMN heartbeat_seconds INTEGER CHECK (heartbeat_seconds > 0);
