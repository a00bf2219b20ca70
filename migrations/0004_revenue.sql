-- The revenue of a code is what the leads paid that it brought, less what they were given back, whatever it
-- earned; it moves with the lead. So it needs no place of its own on the payment, and what was counted
-- otherwise until now is set right.
ALTER TABLE payments DROP COLUMN counted_for;

INSERT INTO counters (scope_id, name, day, slot, value)
SELECT d.scope_id, d.name, '', 0, CAST(sum(d.value) AS BIGINT)
  FROM (SELECT COALESCE(l.code_id, l.enrollment_id) AS scope_id, 'revenue.' || p.currency AS name, p.amount - p.refunded AS value
          FROM payments p JOIN leads l ON l.id = p.lead_id
         WHERE NOT p.test AND l.enrollment_id IS NOT NULL
        UNION ALL
        SELECT k.scope_id, k.name, -k.value
          FROM counters k
         WHERE k.day = '' AND k.name LIKE 'revenue.%' AND k.scope_id NOT IN (SELECT id FROM campaigns)) d
 WHERE true
 GROUP BY d.scope_id, d.name
HAVING sum(d.value) <> 0
    ON CONFLICT (scope_id, name, day, slot) DO UPDATE SET value = counters.value + excluded.value;
