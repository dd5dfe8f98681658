-- What a stretch is about, as the table that is queried has it: scope and type. Of lists the scope was the list's name.
CREATE TABLE open_stretches (
    machine_id    TEXT NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
    scope         TEXT NOT NULL,
    change_type   TEXT NOT NULL,
    cause         TEXT NOT NULL,
    start         INTEGER NOT NULL,
    claimed_start INTEGER NOT NULL,
    detail        TEXT NOT NULL,
    PRIMARY KEY (machine_id, scope, change_type, cause, start)
) STRICT;
INSERT INTO open_stretches
    SELECT machine_id,
           CASE WHEN scope IN ('Daemons', 'Software') THEN '*' ELSE scope END,
           CASE WHEN scope IN ('Daemons', 'Software', '*') THEN scope ELSE 'Files' END,
           cause, start, claimed_start, detail
    FROM open_gaps;
DROP TABLE open_gaps;
ALTER TABLE open_stretches RENAME TO open_gaps;
