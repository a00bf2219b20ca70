-- Substring search. Rows wait in the queue until a job writes them to a segment: which three characters
-- stand in which of its rows. Nothing in a segment ever changes; small ones are merged into larger ones.
-- `scope` is whose rows they are: four times the id of the campaign (the business, for referrers), plus
-- 0 for leads, 1 for test leads, 2 for referrers, 3 for codes.

CREATE TABLE search_queue (
    scope BIGINT NOT NULL,
    id BIGINT NOT NULL,
    -- Drawn anew at each change, so that a change while the row is being indexed keeps it in the queue.
    stamp BIGINT NOT NULL,
    PRIMARY KEY (scope, id)
);

CREATE TABLE search_segments (
    id BIGINT PRIMARY KEY,
    scope BIGINT NOT NULL,
    size BIGINT NOT NULL,
    -- Set when it was merged into another; those who read it still find it for a while.
    gone_at BIGINT,
    -- When the first, the 257th, the 513th … and the last of its rows were made.
    marks TEXT NOT NULL,
    -- The ids of its rows, in the order in which they were made.
    docs TEXT NOT NULL
);
CREATE INDEX search_segments_live ON search_segments (scope, id) WHERE gone_at IS NULL;
CREATE INDEX search_segments_gone ON search_segments (gone_at, id) WHERE gone_at IS NOT NULL;

-- The grams from `gram` on, each with the rows that have it, up to the next block of the segment.
CREATE TABLE search_blocks (
    segment_id BIGINT NOT NULL,
    gram BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (segment_id, gram)
);

INSERT INTO search_queue (scope, id, stamp) SELECT campaign_id * 4 + CASE WHEN test THEN 1 ELSE 0 END, id, 0 FROM leads ORDER BY 1, 2;
INSERT INTO search_queue (scope, id, stamp) SELECT business_id * 4 + 2, id, 0 FROM referrers ORDER BY 1, 2;
INSERT INTO search_queue (scope, id, stamp) SELECT campaign_id * 4 + 3, id, 0 FROM codes ORDER BY 1, 2;
