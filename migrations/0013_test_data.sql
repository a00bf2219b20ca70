-- Test data is deleted for good. Before a row goes, both databases look whether another one still names it,
-- and without these indexes each such look would read the whole table.
CREATE INDEX purchases_by_first ON purchases (first_payment_id) WHERE first_payment_id IS NOT NULL;
CREATE INDEX inbox_by_payment ON inbox_items (payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX inbox_by_touch ON inbox_items (touch_id) WHERE touch_id IS NOT NULL;
