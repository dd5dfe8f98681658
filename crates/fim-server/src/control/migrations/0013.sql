-- A rule may have the text of its files stored before and after a change.
ALTER TABLE rules ADD COLUMN upload_content INTEGER NOT NULL DEFAULT 0 CHECK (upload_content IN (0, 1));
