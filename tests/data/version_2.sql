-- What the business of version 1 had more of when version 2 was the newest. Never changed, as that one.

UPDATE id_blocks SET next = 5001;
INSERT INTO refunds (id, business_id, campaign_id, product_id, test, email, email_key, named, payment_id, asked, amount, currency, refund_date, identity, body_hash, state, why, received_at, decided_at) VALUES
    (4001, 1001, 1003, 1004, FALSE, 'lead0@example0.com', 'lead0@example0.com', 'event:load-2007', 2015, 500000, 5000, 'USD', '2026-10-25', 'event:ref-1', 'load', 'applied', NULL, 1795261403103724, 1795261403103724),
    (4002, 1001, 1003, 1004, FALSE, 'lead1@example1.com', 'lead1@example1.com', 'date:1004|lead1@example1.com|2026-10-30', NULL, NULL, NULL, NULL, '2026-11-02', 'parked:date:1004|lead1@example1.com|2026-10-30|2026-11-02|all', 'load', 'parked', NULL, 1795261403103724, NULL),
    (4003, 1001, 1003, 1004, FALSE, 'lead0@example0.com', 'lead0@example0.com', 'event:load-2007', NULL, 99990000, NULL, 'USD', '2026-10-26', 'event:ref-2', 'load', 'refused', 'only 102.59 USD is left of the payment', 1795261403103724, 1795261403103724);
UPDATE payments SET refunded = 5000 WHERE id = 2015;
UPDATE commissions SET amount = 2052 WHERE id = 2019;
INSERT INTO ledger_entries (id, business_id, referrer_id, currency, account, amount, kind, commission_id, day, at, seal_position, seal) VALUES
    (4004, 1001, 2001, 'USD', 'held', -1000, 'refunded', 2019, '2026-10-25', 1795261403103724, NULL, NULL);
UPDATE counters SET value = 2052 WHERE name = 'money.held.USD';
UPDATE counters SET value = 10259 WHERE name = 'revenue.USD';
INSERT INTO cancellations (id, business_id, product_id, test, lead_id, day, identity, body_hash, at) VALUES
    (4005, 1001, 1004, FALSE, 2007, '2026-11-03', 'date:1004|lead0@example0.com|2026-11-03', 'load', 1795261403103724);
UPDATE purchases SET subscription_status = 'cancelled', cancelled_on = '2026-11-03' WHERE lead_id = 2007;
