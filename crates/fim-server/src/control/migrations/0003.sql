-- The machine whose place the one that joins with the token takes; a machine's name is its own in a workspace otherwise.
ALTER TABLE enrollment_tokens ADD COLUMN replaces TEXT COLLATE NOCASE;
