-- Whether the session came by a link that signs in once: until it sets a password, it may do so without the one so far.
ALTER TABLE sessions ADD COLUMN by_link INTEGER NOT NULL DEFAULT 0 CHECK (by_link IN (0, 1));
-- When monitoring was turned on and off is asked of the audit log at every look at what was watched.
CREATE INDEX audit_of_an_object ON audit (object, action);
