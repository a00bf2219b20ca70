-- Refunds, and subscriptions that ended. Portable for SQLite and PostgreSQL, as 0001 is.

-- What was given back of a payment: the sum of its refunds, never more than was paid.
ALTER TABLE payments ADD COLUMN refunded BIGINT NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND amount);
-- The code or enrollment in whose revenue the payment is counted; its refunds are taken off the same.
ALTER TABLE payments ADD COLUMN counted_for BIGINT;
UPDATE payments
   SET counted_for = (SELECT COALESCE(l.code_id, l.enrollment_id) FROM leads l WHERE l.id = payments.lead_id)
 WHERE decision = 'earned' AND NOT test;

-- What was taken back of a commission after it was paid; `amount` stays what was paid.
ALTER TABLE commissions ADD COLUMN taken_back BIGINT NOT NULL DEFAULT 0 CHECK (taken_back BETWEEN 0 AND amount);
UPDATE commissions SET taken_back = amount WHERE reversed_at IS NOT NULL;

-- The day of the last payment and of the cancellation that stands: whichever is later says how the
-- subscription is, in whatever order they arrive.
ALTER TABLE purchases ADD COLUMN paid_on TEXT;
ALTER TABLE purchases ADD COLUMN cancelled_on TEXT;
UPDATE purchases
   SET paid_on = (SELECT max(p.payment_date) FROM payments p WHERE p.lead_id = purchases.lead_id AND p.product_id = purchases.product_id);

-- Stored events. Only a parked one is ever written again, once, when its payment arrives.
CREATE TABLE refunds (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    campaign_id BIGINT NOT NULL,
    product_id BIGINT NOT NULL REFERENCES products (id),
    test BOOLEAN NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    -- What it named its payment by: 'date:product|email|date', 'event:…', 'commission:…' or 'payment:…'.
    named TEXT NOT NULL,
    payment_id BIGINT REFERENCES payments (id),
    -- As it was sent, in ten-thousandths of the currency's unit, whichever that turns out to be; NULL is
    -- all that is left.
    asked BIGINT CHECK (asked > 0),
    -- What was given back; NULL while it is parked and when it was refused.
    amount BIGINT CHECK (amount > 0),
    currency TEXT,
    refund_date TEXT NOT NULL,
    -- 'event:…', 'same:payment|date|amount' ('all' without one), or of one that was parked without an id 'parked:name|date|amount'.
    identity TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    -- parked: its payment is not known yet; refused: it did not fit its payment when that came.
    state TEXT NOT NULL CHECK (state IN ('parked', 'applied', 'refused')),
    why TEXT,
    received_at BIGINT NOT NULL,
    decided_at BIGINT,
    UNIQUE (business_id, test, identity),
    CHECK (state <> 'parked' OR payment_id IS NULL),
    CHECK ((state = 'applied') = (amount IS NOT NULL)),
    CHECK (state <> 'applied' OR (payment_id IS NOT NULL AND currency IS NOT NULL))
);
CREATE INDEX refunds_by_payment ON refunds (payment_id, id) WHERE payment_id IS NOT NULL;
CREATE INDEX refunds_parked ON refunds (business_id, test, named) WHERE state = 'parked';

-- The subscription-cancelled events that were accepted: what makes a second one a duplicate.
CREATE TABLE cancellations (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    product_id BIGINT NOT NULL REFERENCES products (id),
    test BOOLEAN NOT NULL,
    lead_id BIGINT NOT NULL REFERENCES leads (id),
    day TEXT NOT NULL,
    -- 'event:…' or 'date:product|email|date'.
    identity TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    at BIGINT NOT NULL,
    UNIQUE (business_id, test, identity)
);
CREATE INDEX cancellations_by_lead ON cancellations (lead_id, id);
