-- The last calls of every key, for the developers who make them. A log and no record: written once a second,
-- kept for 30 days, and at most 1,000 of each key. No key is in it, and no value of a query that is not known
-- to be harmless. A key of either kind may be meant, so it is no foreign key.
CREATE TABLE calls (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    key_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    -- Whose words the call is in: rn, cf, rf, own.
    contract TEXT NOT NULL,
    method TEXT NOT NULL,
    route TEXT NOT NULL,
    path TEXT NOT NULL,
    status BIGINT NOT NULL,
    micros BIGINT NOT NULL,
    request_id TEXT NOT NULL,
    code TEXT,
    message TEXT,
    address TEXT NOT NULL,
    -- What it is found by, folded.
    search TEXT NOT NULL,
    -- Calls of the key before this one that came too thick to be written down.
    dropped BIGINT NOT NULL
);
CREATE INDEX calls_by_business ON calls (business_id, at, id);
CREATE INDEX calls_by_key ON calls (key_id, at, id);
CREATE INDEX calls_by_age ON calls (at, id);
