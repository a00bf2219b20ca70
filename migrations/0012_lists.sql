-- Refunds and touches as lists of a business, newest first; the touches of a referrer, whose codes are few,
-- are also where those of a code are looked for.
CREATE INDEX refunds_by_received ON refunds (business_id, received_at, id);
CREATE INDEX touches_by_time ON touches (business_id, at, id);
CREATE INDEX touches_by_referrer ON touches (referrer_id, at, id) WHERE referrer_id IS NOT NULL;
