-- Before a test payment is deleted, the foreign key of `purchases`, which only SQLite has, looks for its row.
CREATE INDEX purchases_by_first ON purchases (first_payment_id) WHERE first_payment_id IS NOT NULL;
