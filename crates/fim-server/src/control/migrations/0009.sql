-- When rules came into force where none was, and when the last one went: monitoring without a rule looks at no file.
CREATE TABLE rule_switches (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    at           INTEGER NOT NULL,
    any_enabled  INTEGER NOT NULL CHECK (any_enabled IN (0, 1))
) STRICT;
CREATE INDEX rule_switches_of_a_workspace ON rule_switches (workspace_id, number);

-- Of the time before, the audit log knows when rules were changed, not how many were in force. Rules were from the first
-- change on; where none is now, until the last.
CREATE TEMP TABLE rule_changes AS
    SELECT w.id AS workspace_id, min(a.at) AS first, max(a.at) AS last,
           EXISTS (SELECT 1 FROM rules r WHERE r.workspace_id = w.id AND r.enabled) AS any_enabled
    FROM workspaces w JOIN audit a
      ON (a.action IN ('rule.create', 'rule.edit', 'rule.delete') AND json_extract(a.detail, '$.workspace') = w.id)
      OR (a.action = 'rules.recommend' AND a.object = w.id)
    GROUP BY w.id;
INSERT INTO rule_switches (workspace_id, at, any_enabled) SELECT workspace_id, first, 1 FROM rule_changes;
INSERT INTO rule_switches (workspace_id, at, any_enabled)
    SELECT workspace_id, last, 0 FROM rule_changes WHERE NOT any_enabled;
DROP TABLE rule_changes;
