-- The machine whose place the one that joins with the token takes; a machine's name is its own in a workspace otherwise.
ALTER TABLE enrollment_tokens ADD COLUMN replaces TEXT COLLATE NOCASE;

-- The start by which the agent calls the stretch; the one that is told is kept within what can be.
ALTER TABLE open_gaps ADD COLUMN claimed_start INTEGER NOT NULL DEFAULT 0;
UPDATE open_gaps SET claimed_start = start;
