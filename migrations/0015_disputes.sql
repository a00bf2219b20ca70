-- The payments that are disputed are few: lists of them, and the sums of what they hold, look at no others.
CREATE INDEX payments_disputed ON payments (business_id, received_at, id) WHERE disputed_at IS NOT NULL;
