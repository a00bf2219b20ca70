//! The questions about attribution and money: each should be answered by no rows.

/// Each with a query that returns one text per broken row.
pub const QUESTIONS: [(&str, &str); 22] = [
    (
        "a commission's ledger entries say what its state says",
        "SELECT 'commission ' || CAST(c.id AS TEXT) || ' is ' || c.state
                  || CASE WHEN p.disputed_at IS NULL THEN '' ELSE ' and disputed' END || ' at '
                  || CAST(c.amount AS TEXT) || ' but its entries are held ' || CAST(COALESCE(e.held, 0) AS TEXT)
                  || ', due ' || CAST(COALESCE(e.due, 0) AS TEXT) || ', paying '
                  || CAST(COALESCE(e.paying, 0) AS TEXT) || ', paid '
                  || CAST(COALESCE(e.paid, 0) AS TEXT) AS what
           FROM commissions c
           LEFT JOIN payments p ON p.id = c.payment_id
           LEFT JOIN (SELECT commission_id,
                             CAST(sum(CASE WHEN account = 'held' THEN amount ELSE 0 END) AS BIGINT) AS held,
                             CAST(sum(CASE WHEN account = 'due' THEN amount ELSE 0 END) AS BIGINT) AS due,
                             CAST(sum(CASE WHEN account = 'paying' THEN amount ELSE 0 END) AS BIGINT) AS paying,
                             CAST(sum(CASE WHEN account = 'paid' THEN amount ELSE 0 END) AS BIGINT) AS paid
                        FROM ledger_entries
                       WHERE commission_id IS NOT NULL
                         AND adjustment_id IS NULL
                       GROUP BY commission_id) e ON e.commission_id = c.id
          WHERE COALESCE(e.held, 0) <> CASE WHEN c.test THEN 0 WHEN c.state = 'pending' THEN c.amount
                                            WHEN c.state = 'approved' AND c.line_id IS NULL
                                                 AND p.disputed_at IS NOT NULL THEN c.amount
                                            ELSE 0 END
             OR COALESCE(e.due, 0) <> CASE WHEN NOT c.test AND c.state = 'approved' AND c.line_id IS NULL
                                                AND p.disputed_at IS NULL THEN c.amount
                                           ELSE 0 END
             OR COALESCE(e.paying, 0) <> CASE WHEN c.state = 'approved' AND c.line_id IS NOT NULL THEN c.amount
                                              ELSE 0 END
             OR COALESCE(e.paid, 0) <> CASE WHEN c.state = 'paid' THEN c.amount ELSE 0 END
          LIMIT 20",
    ),
    (
        "a ledger entry is of its commission's referrer and currency",
        "SELECT 'ledger entry ' || CAST(e.id AS TEXT) AS what
           FROM ledger_entries e
           JOIN commissions c ON c.id = e.commission_id
          WHERE e.referrer_id <> c.referrer_id
             OR e.currency <> c.currency
             OR e.business_id <> c.business_id
          LIMIT 20",
    ),
    (
        "a commission is on its payment: same amount, currency, lead and mode",
        "SELECT 'commission ' || CAST(c.id AS TEXT) || ' on payment ' || CAST(p.id AS TEXT) AS what
           FROM commissions c
           JOIN payments p ON p.id = c.payment_id
          WHERE c.base_amount <> p.amount
             OR c.currency <> p.currency
             OR c.test <> p.test
             OR p.lead_id IS NULL
             OR c.lead_id <> p.lead_id
          LIMIT 20",
    ),
    (
        "a payment that earned has a commission, and one that did not has none",
        "SELECT 'payment ' || CAST(p.id AS TEXT) || ' is ' || p.decision AS what
           FROM payments p
           LEFT JOIN (SELECT DISTINCT payment_id
                        FROM commissions
                       WHERE payment_id IS NOT NULL) c ON c.payment_id = p.id
          WHERE (p.decision = 'earned') <> (c.payment_id IS NOT NULL)
          LIMIT 20",
    ),
    (
        "what was refunded of a payment is the sum of its refunds",
        "SELECT 'payment ' || CAST(p.id AS TEXT) || ' has ' || CAST(p.refunded AS TEXT)
                  || ' refunded, its refunds are ' || CAST(COALESCE(f.value, 0) AS TEXT) AS what
           FROM payments p
           LEFT JOIN (SELECT payment_id, CAST(sum(amount) AS BIGINT) AS value
                        FROM refunds
                       WHERE state = 'applied'
                       GROUP BY payment_id) f ON f.payment_id = p.id
          WHERE p.refunded <> COALESCE(f.value, 0)
          LIMIT 20",
    ),
    (
        "a commission whose payment was wholly refunded is void or taken back",
        "SELECT 'commission ' || CAST(c.id AS TEXT) || ' is ' || c.state AS what
           FROM commissions c
           JOIN payments p ON p.id = c.payment_id
          WHERE p.refunded > 0
            AND p.refunded = p.amount
            AND c.state <> 'void'
            AND c.reversed_at IS NULL
          LIMIT 20",
    ),
    (
        "a disputed payment has something left to dispute",
        "SELECT 'payment ' || CAST(p.id AS TEXT) AS what
           FROM payments p
          WHERE p.disputed_at IS NOT NULL
            AND p.refunded >= p.amount
          LIMIT 20",
    ),
    (
        "a parked refund waits for a payment that has not come",
        "SELECT 'refund ' || CAST(f.id AS TEXT) AS what
           FROM refunds f
           JOIN refund_names r ON r.refund_id = f.id
           JOIN payment_names n ON n.business_id = r.business_id
                               AND n.test = r.test
                               AND n.name = r.name
          WHERE f.state = 'parked'
          LIMIT 20",
    ),
    (
        "a refund is of a payment that has a name it was asked by",
        "SELECT 'refund ' || CAST(f.id AS TEXT) || ' of payment ' || CAST(f.payment_id AS TEXT) AS what
           FROM refunds f
           JOIN refund_names r ON r.refund_id = f.id
           LEFT JOIN payment_names n ON n.business_id = r.business_id
                                    AND n.test = r.test
                                    AND n.name = r.name
                                    AND n.payment_id = f.payment_id
          WHERE f.state = 'applied'
            AND r.name NOT LIKE 'date:%'
          GROUP BY f.id, f.payment_id
         HAVING count(n.name) = 0
          LIMIT 20",
    ),
    (
        "every payment has a name",
        "SELECT 'payment ' || CAST(p.id AS TEXT) AS what
           FROM payments p
           LEFT JOIN payment_names n ON n.payment_id = p.id
          WHERE n.payment_id IS NULL
          LIMIT 20",
    ),
    (
        "one payment earns at most one commission that stands",
        "SELECT 'payment ' || CAST(payment_id AS TEXT) AS what
           FROM commissions
          WHERE payment_id IS NOT NULL
            AND state IN ('pending', 'approved')
            AND line_id IS NULL
            AND reversed_at IS NULL
          GROUP BY payment_id
         HAVING count(*) > 1
          LIMIT 20",
    ),
    (
        "exactly one payment of a lead and product has the referral rate",
        "SELECT 'lead ' || CAST(lead_id AS TEXT) || ', product ' || CAST(product_id AS TEXT) AS what
           FROM commissions
          WHERE kind = 'referral'
            AND base_amount > 0
          GROUP BY lead_id, product_id
         HAVING count(DISTINCT payment_id) > 1
          LIMIT 20",
    ),
    (
        "the payment with the referral rate is the one that was decided first",
        "SELECT 'commission ' || CAST(c.id AS TEXT) AS what
           FROM commissions c
           LEFT JOIN purchases p ON p.lead_id = c.lead_id
                                AND p.product_id = c.product_id
          WHERE c.kind IN ('referral', 'recurring')
            AND c.base_amount > 0
            AND (p.first_payment_id IS NULL OR (c.kind = 'referral') <> (p.first_payment_id = c.payment_id))
          LIMIT 20",
    ),
    (
        "a commission is its lead's, its enrollment's and its campaign's",
        "SELECT 'commission ' || CAST(c.id AS TEXT) AS what
           FROM commissions c
           JOIN leads l ON l.id = c.lead_id
           JOIN enrollments e ON e.id = c.enrollment_id
          WHERE l.campaign_id <> c.campaign_id
             OR e.campaign_id <> c.campaign_id
             OR e.referrer_id <> c.referrer_id
             OR l.business_id <> c.business_id
             OR l.test <> c.test
          LIMIT 20",
    ),
    (
        "ids that are copied beside a row's parent are the parent's",
        "SELECT 'lead ' || CAST(l.id AS TEXT) AS what
           FROM leads l
           JOIN campaigns c ON c.id = l.campaign_id
          WHERE l.business_id <> c.business_id
          UNION ALL
         SELECT 'touch ' || CAST(t.id AS TEXT)
           FROM touches t
           JOIN leads l ON l.id = t.lead_id
           LEFT JOIN enrollments e ON e.id = t.enrollment_id
          WHERE t.business_id <> l.business_id
             OR e.referrer_id <> t.referrer_id
          UNION ALL
         SELECT 'sign-up ' || CAST(s.id AS TEXT)
           FROM sign_ups s
           JOIN leads l ON l.id = s.lead_id
           JOIN products p ON p.id = s.product_id
          WHERE s.business_id <> l.business_id
             OR p.campaign_id <> l.campaign_id
          UNION ALL
         SELECT 'payment ' || CAST(m.id AS TEXT)
           FROM payments m
           JOIN products p ON p.id = m.product_id
           LEFT JOIN leads l ON l.id = m.lead_id
          WHERE m.business_id <> p.business_id
             OR m.campaign_id <> p.campaign_id
             OR l.campaign_id <> m.campaign_id
          UNION ALL
         SELECT 'name ' || n.name || ' of payment ' || CAST(m.id AS TEXT)
           FROM payment_names n
           JOIN payments m ON m.id = n.payment_id
          WHERE n.business_id <> m.business_id
             OR n.test <> m.test
          UNION ALL
         SELECT 'name ' || r.name || ' of refund ' || CAST(f.id AS TEXT)
           FROM refund_names r
           JOIN refunds f ON f.id = r.refund_id
          WHERE r.business_id <> f.business_id
             OR r.test <> f.test
          UNION ALL
         SELECT 'refund ' || CAST(f.id AS TEXT)
           FROM refunds f
           JOIN products p ON p.id = f.product_id
           LEFT JOIN payments m ON m.id = f.payment_id
          WHERE f.business_id <> p.business_id
             OR f.campaign_id <> p.campaign_id
             OR (f.state = 'applied'
                 AND (m.product_id <> f.product_id
                      OR m.business_id <> f.business_id
                      OR m.test <> f.test
                      OR m.currency <> f.currency))
          UNION ALL
         SELECT 'cancellation ' || CAST(x.id AS TEXT)
           FROM cancellations x
           JOIN leads l ON l.id = x.lead_id
           JOIN products p ON p.id = x.product_id
          WHERE x.business_id <> l.business_id
             OR p.campaign_id <> l.campaign_id
             OR x.test <> l.test
          UNION ALL
         SELECT 'commission ' || CAST(c.id AS TEXT)
           FROM commissions c
           JOIN payments m ON m.id = c.payment_id
          WHERE c.product_id IS NULL
             OR c.product_id <> m.product_id
          UNION ALL
         SELECT 'purchase of lead ' || CAST(q.lead_id AS TEXT)
           FROM purchases q
           LEFT JOIN payments m ON m.id = q.first_payment_id
           LEFT JOIN products p ON p.id = q.product_id
          WHERE p.id IS NULL
             OR m.product_id <> q.product_id
             OR m.lead_id <> q.lead_id
          UNION ALL
         SELECT 'audit entry ' || CAST(a.id AS TEXT)
           FROM audit_entries a
           LEFT JOIN businesses b ON b.id = a.business_id
          WHERE b.id IS NULL
          LIMIT 20",
    ),
    (
        "an attributed lead has the touch that counts, and it is of the same referrer",
        "SELECT 'lead ' || CAST(l.id AS TEXT) AS what
           FROM leads l
           LEFT JOIN touches t ON t.id = l.touch_id
          WHERE l.referrer_id IS NOT NULL
            AND (t.id IS NULL
                 OR t.refused IS NOT NULL
                 OR t.referrer_id <> l.referrer_id
                 OR t.enrollment_id <> l.enrollment_id)
          LIMIT 20",
    ),
    (
        "a lead's referrer is its enrollment's, in its campaign",
        "SELECT 'lead ' || CAST(l.id AS TEXT) AS what
           FROM leads l
           LEFT JOIN enrollments e ON e.id = l.enrollment_id
          WHERE l.referrer_id IS NOT NULL
            AND (e.id IS NULL OR e.referrer_id <> l.referrer_id OR e.campaign_id <> l.campaign_id)
          LIMIT 20",
    ),
    (
        "a commission's rate, flat amount and hold are those of its terms",
        "SELECT 'commission ' || CAST(c.id AS TEXT) AS what
           FROM commissions c
           LEFT JOIN terms t ON t.id = c.terms_id
          WHERE c.kind <> 'reward'
            AND (t.id IS NULL
                 OR t.product_id <> c.product_id
                 OR t.number <> c.terms_number
                 OR t.hold_days <> c.hold_days
                 OR COALESCE(c.rate, -1)
                    <> COALESCE(CASE c.kind WHEN 'referral' THEN t.referral_rate ELSE t.recurring_rate END, -1)
                 OR (c.flat IS NOT NULL
                     AND replace(CASE c.kind WHEN 'referral' THEN t.referral_flat ELSE t.recurring_flat END, '}', ',')
                         NOT LIKE '%\"' || c.currency || '\":' || CAST(c.flat AS TEXT) || ',%'))
          LIMIT 20",
    ),
    (
        "a duplicate holds no attribution and earns nothing",
        "SELECT 'lead ' || CAST(l.id AS TEXT) AS what
           FROM leads l
          WHERE l.duplicate_of IS NOT NULL
            AND l.archived_at IS NULL
            AND (l.referrer_id IS NOT NULL OR EXISTS (SELECT 1 FROM commissions c WHERE c.lead_id = l.id))
          LIMIT 20",
    ),
    (
        "a lead whose status is qualified is qualified",
        "SELECT 'lead ' || CAST(id AS TEXT) AS what
           FROM leads
          WHERE status = 'qualified'
            AND qualified_at IS NULL
          LIMIT 20",
    ),
    (
        "an enrollment knows whether it has an active code",
        "SELECT 'enrollment ' || CAST(e.id AS TEXT) AS what
           FROM enrollments e
          WHERE e.has_code <> EXISTS (SELECT 1
                                        FROM codes c
                                       WHERE c.enrollment_id = e.id
                                         AND c.state = 'active')
          LIMIT 20",
    ),
    (
        "every business has an owner and a default campaign",
        "SELECT 'business ' || CAST(b.id AS TEXT) AS what
           FROM businesses b
          WHERE b.default_campaign_id IS NULL
             OR NOT EXISTS (SELECT 1
                              FROM memberships m
                             WHERE m.business_id = b.id
                               AND m.role = 'owner')
          LIMIT 20",
    ),
];
