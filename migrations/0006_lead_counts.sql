-- Lists of a business's leads by page number: newest first, with exact totals by status and source.
-- A page far behind is found by reading one of these and nothing else, so each carries all its filter asks
-- (SQLite asks for `archived_at` again although the index has only rows without it).
CREATE INDEX leads_listed ON leads (business_id, test, created_at, id, archived_at) WHERE archived_at IS NULL;
CREATE INDEX leads_listed_by_status ON leads (business_id, test, status, created_at, id, archived_at) WHERE archived_at IS NULL;
CREATE INDEX leads_listed_by_source ON leads (business_id, test, source, created_at, id, status, archived_at) WHERE archived_at IS NULL AND source IS NOT NULL;

-- What is counted from now on as leads come and move is counted once for those that are here.
INSERT INTO counters (scope_id, name, day, slot, value)
SELECT business_id, 'listed.' || status, '', 0, count(*) FROM leads
 WHERE NOT test AND archived_at IS NULL GROUP BY business_id, status;
INSERT INTO counters (scope_id, name, day, slot, value)
SELECT business_id, 'listed.' || status || '|' || source, '', 0, count(*) FROM leads
 WHERE NOT test AND archived_at IS NULL AND source IS NOT NULL GROUP BY business_id, status, source;
