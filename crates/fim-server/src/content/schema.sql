BEGIN IMMEDIATE;
CREATE TABLE blobs (
    workspace_id TEXT NOT NULL,
    id           BLOB NOT NULL,
    key_id       BLOB NOT NULL,
    nonce        BLOB NOT NULL,
    sealed       BLOB NOT NULL,
    bytes        INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT;
CREATE TABLE contents (
    workspace_id TEXT NOT NULL,
    machine_id   TEXT NOT NULL,
    digest       BLOB NOT NULL,
    blob_id      BLOB,
    why          TEXT,
    bytes        INTEGER NOT NULL,
    seen_at      INTEGER NOT NULL,
    PRIMARY KEY (machine_id, digest),
    CHECK ((blob_id IS NULL) <> (why IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX contents_of_a_blob ON contents (workspace_id, blob_id);
CREATE TABLE totals (of TEXT PRIMARY KEY, bytes INTEGER NOT NULL, count INTEGER NOT NULL) STRICT;
CREATE TRIGGER content_added AFTER INSERT ON contents BEGIN
    INSERT INTO totals VALUES (new.machine_id, new.bytes, 1)
    ON CONFLICT (of) DO UPDATE SET bytes = bytes + excluded.bytes, count = count + 1;
END;
CREATE TRIGGER content_removed AFTER DELETE ON contents BEGIN
    UPDATE totals SET bytes = bytes - old.bytes, count = count - 1 WHERE of = old.machine_id;
    DELETE FROM totals WHERE of = old.machine_id AND count = 0;
    DELETE FROM blobs WHERE workspace_id = old.workspace_id AND id = old.blob_id AND NOT EXISTS (
        SELECT 1 FROM contents WHERE workspace_id = old.workspace_id AND blob_id = old.blob_id);
END;
CREATE TRIGGER blob_added AFTER INSERT ON blobs BEGIN
    INSERT INTO totals VALUES (new.workspace_id, new.bytes, 1)
    ON CONFLICT (of) DO UPDATE SET bytes = bytes + excluded.bytes, count = count + 1;
END;
CREATE TRIGGER blob_removed AFTER DELETE ON blobs BEGIN
    UPDATE totals SET bytes = bytes - old.bytes, count = count - 1 WHERE of = old.workspace_id;
    DELETE FROM totals WHERE of = old.workspace_id AND count = 0;
END;
PRAGMA user_version = 1;
COMMIT;
