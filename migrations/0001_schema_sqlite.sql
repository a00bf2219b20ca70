-- Before a test payment is deleted, the foreign key of `purchases`, which only SQLite has, looks for its row.
CREATE INDEX purchases_by_first ON purchases (first_payment_id) WHERE first_payment_id IS NOT NULL;

-- Everything that a payment is known by: any of its names finds it, and no other payment has it.
-- WITHOUT ROWID keeps them in one tree, where each payment would write to two.
CREATE TABLE payment_names (
    business_id BIGINT NOT NULL,
    test BOOLEAN NOT NULL,
    -- 'event:…', 'invoice:…', 'charge:…', 'intent:…', 'key:…', 'date:product|email|date' or 'inbox:…'.
    name TEXT NOT NULL,
    payment_id BIGINT NOT NULL REFERENCES payments (id),
    PRIMARY KEY (business_id, test, name)
) WITHOUT ROWID;
CREATE INDEX payment_names_by_payment ON payment_names (payment_id, name);
