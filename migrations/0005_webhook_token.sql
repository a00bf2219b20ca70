-- The address that qualifies leads without a key: one for each campaign, made when first looked at. Its text
-- is shown to whoever sets a program up, and found by its hash.
CREATE TABLE webhook_tokens (
    campaign_id BIGINT PRIMARY KEY REFERENCES campaigns (id),
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    token TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

-- Lists of leads and referrers in one, newest first, by page number: whether somebody is archived stands in
-- the index, so that rows in front of a page are passed by without being read.
DROP INDEX leads_by_created;
CREATE INDEX leads_by_created ON leads (campaign_id, test, created_at, id, archived_at);
DROP INDEX referrers_by_created;
CREATE INDEX referrers_by_created ON referrers (business_id, created_at, id, archived_at);

-- What is counted from now on as people come and go is counted once for those who are here.
INSERT INTO counters (scope_id, name, day, slot, value)
SELECT campaign_id, 'users.leads', 'u' || CAST(created_at / 86400000000 AS TEXT), 0, count(*)
  FROM leads WHERE NOT test AND archived_at IS NULL GROUP BY 1, 3
UNION ALL SELECT campaign_id, 'users.leads', '', 0, count(*)
  FROM leads WHERE NOT test AND archived_at IS NULL GROUP BY 1
UNION ALL SELECT campaign_id, 'users.referrers', 'u' || CAST(created_at / 86400000000 AS TEXT), 0, count(*)
  FROM enrollments WHERE NOT archived GROUP BY 1, 3
UNION ALL SELECT campaign_id, 'users.referrers', '', 0, count(*) FROM enrollments WHERE NOT archived GROUP BY 1
UNION ALL SELECT business_id, 'users.referrers', 'u' || CAST(created_at / 86400000000 AS TEXT), 0, count(*)
  FROM referrers WHERE archived_at IS NULL GROUP BY 1, 3
UNION ALL SELECT business_id, 'users.referrers', '', 0, count(*) FROM referrers WHERE archived_at IS NULL GROUP BY 1;
