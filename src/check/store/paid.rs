//! The questions about adjustments and payouts: each should be answered by no rows.

/// Each with a query that returns one text per broken row.
pub const QUESTIONS: [(&str, &str); 11] = [
    (
        "an adjustment is of its enrollment, and a second person is another one",
        "SELECT 'adjustment ' || CAST(a.id AS TEXT) || ' is ' || a.state AS what
           FROM adjustments a
           LEFT JOIN enrollments e ON e.id = a.enrollment_id
          WHERE e.id IS NULL
             OR e.referrer_id <> a.referrer_id
             OR e.campaign_id <> a.campaign_id
             OR e.business_id <> a.business_id
             OR (a.state IN ('posted', 'refused') AND a.decided_by_id = a.made_by_id)
             OR (a.state = 'pending' AND a.decided_by IS NOT NULL)
          LIMIT 20",
    ),
    (
        "an adjustment's ledger entries say where its money is",
        "SELECT 'adjustment ' || CAST(a.id AS TEXT) || ' is ' || a.state || ' at ' || CAST(a.amount AS TEXT)
                  || ' but its entries are due ' || CAST(COALESCE(e.due, 0) AS TEXT) || ', paying '
                  || CAST(COALESCE(e.paying, 0) AS TEXT) || ', paid ' || CAST(COALESCE(e.paid, 0) AS TEXT) AS what
           FROM adjustments a
           LEFT JOIN payout_lines l ON l.id = a.line_id
           LEFT JOIN (SELECT adjustment_id,
                             CAST(sum(CASE WHEN account = 'due' THEN amount ELSE 0 END) AS BIGINT) AS due,
                             CAST(sum(CASE WHEN account = 'paying' THEN amount ELSE 0 END) AS BIGINT) AS paying,
                             CAST(sum(CASE WHEN account = 'paid' THEN amount ELSE 0 END) AS BIGINT) AS paid
                        FROM ledger_entries
                       WHERE adjustment_id IS NOT NULL
                       GROUP BY adjustment_id) e ON e.adjustment_id = a.id
          WHERE COALESCE(e.due, 0) <> CASE WHEN a.state = 'posted' AND a.line_id IS NULL THEN a.amount ELSE 0 END
             OR COALESCE(e.paying, 0) <> CASE WHEN l.state = 'locked' THEN a.amount ELSE 0 END
             OR COALESCE(e.paid, 0) <> CASE WHEN l.state = 'paid' THEN a.amount ELSE 0 END
          LIMIT 20",
    ),
    (
        "a customer's reward is of a lead that counts, and void or reversed of one that does not",
        "SELECT 'customer reward ' || CAST(w.id AS TEXT) || ' is ' || w.state AS what
           FROM customer_rewards w
           JOIN leads l ON l.id = w.lead_id
           LEFT JOIN enrollments e ON e.id = l.enrollment_id
          WHERE w.campaign_id <> l.campaign_id
             OR w.business_id <> l.business_id
             OR w.test <> l.test
             OR (w.void_cause IS NULL
                 AND (l.qualified_at IS NULL OR l.enrollment_id IS NULL OR l.duplicate_of IS NOT NULL))
             OR (w.void_cause <> 'staff'
                 AND e.state <> 'banned'
                 AND l.qualified_at IS NOT NULL AND l.enrollment_id IS NOT NULL AND l.duplicate_of IS NULL)
          LIMIT 20",
    ),
    (
        "what was taken back of a commission is the sum of its adjustments",
        "SELECT 'commission ' || CAST(c.id AS TEXT) || ' had ' || CAST(c.taken_back AS TEXT)
                  || ' taken back, its adjustments are ' || CAST(COALESCE(a.amount, 0) AS TEXT) AS what
           FROM commissions c
           LEFT JOIN (SELECT commission_id, CAST(sum(amount) AS BIGINT) AS amount
                        FROM adjustments
                       WHERE commission_id IS NOT NULL
                       GROUP BY commission_id) a ON a.commission_id = c.id
          WHERE c.taken_back <> -COALESCE(a.amount, 0)
          LIMIT 20",
    ),
    (
        "a commission is paid by a paid line, and a line that is locked has approved ones",
        "SELECT 'commission ' || CAST(c.id AS TEXT) || ' is ' || c.state || ' in a line that is '
                  || COALESCE(l.state, 'missing') AS what
           FROM commissions c
           LEFT JOIN payout_lines l ON l.id = c.line_id
          WHERE c.line_id IS NOT NULL
            AND (l.id IS NULL
                 OR l.referrer_id <> c.referrer_id
                 OR l.currency <> c.currency
                 OR l.business_id <> c.business_id
                 OR l.state <> CASE c.state WHEN 'paid' THEN 'paid' ELSE 'locked' END)
          UNION ALL
         SELECT 'adjustment ' || CAST(a.id AS TEXT)
           FROM adjustments a
           LEFT JOIN payout_lines l ON l.id = a.line_id
          WHERE a.line_id IS NOT NULL
            AND (l.id IS NULL
                 OR l.referrer_id <> a.referrer_id
                 OR l.currency <> a.currency
                 OR l.business_id <> a.business_id
                 OR l.state NOT IN ('locked', 'paid'))
          LIMIT 20",
    ),
    (
        "a locked or paid line is the sum of its commissions and adjustments",
        "SELECT 'line ' || CAST(l.id AS TEXT) || ' is ' || l.state || ' at ' || CAST(l.amount AS TEXT)
                  || ', its items are ' || CAST(COALESCE(i.amount, 0) AS TEXT) AS what
           FROM payout_lines l
           LEFT JOIN (SELECT u.line_id, CAST(sum(u.amount) AS BIGINT) AS amount
                        FROM (SELECT line_id, amount
                                FROM commissions
                               WHERE line_id IS NOT NULL
                               UNION ALL
                              SELECT line_id, amount
                                FROM adjustments
                               WHERE line_id IS NOT NULL) u
                       GROUP BY u.line_id) i ON i.line_id = l.id
          WHERE COALESCE(i.amount, 0) <> CASE WHEN l.state IN ('locked', 'paid') THEN l.amount ELSE 0 END
          LIMIT 20",
    ),
    (
        "a line's ledger entries say what its state says",
        "SELECT 'line ' || CAST(l.id AS TEXT) || ' is ' || l.state || ' at ' || CAST(l.amount AS TEXT)
                  || ' but its entries are paying ' || CAST(COALESCE(e.paying, 0) AS TEXT) || ', paid '
                  || CAST(COALESCE(e.paid, 0) AS TEXT) AS what
           FROM payout_lines l
           LEFT JOIN (SELECT line_id,
                             CAST(sum(CASE WHEN account = 'paying' THEN amount ELSE 0 END) AS BIGINT) AS paying,
                             CAST(sum(CASE WHEN account = 'paid' THEN amount ELSE 0 END) AS BIGINT) AS paid
                        FROM ledger_entries
                       WHERE line_id IS NOT NULL
                       GROUP BY line_id) e ON e.line_id = l.id
          WHERE COALESCE(e.paying, 0) <> CASE l.state WHEN 'locked' THEN l.amount ELSE 0 END
             OR COALESCE(e.paid, 0) <> CASE l.state WHEN 'paid' THEN l.amount ELSE 0 END
          LIMIT 20",
    ),
    (
        "a line with money is in a payout that was locked, and a payout is the sum of its lines",
        "SELECT 'payout ' || CAST(p.id AS TEXT) || ' is ' || p.state || ' with ' || CAST(p.lines AS TEXT)
                  || ' lines of ' || CAST(p.amount AS TEXT) || ', has ' || CAST(COALESCE(l.lines, 0) AS TEXT) || ' of '
                  || CAST(COALESCE(l.amount, 0) AS TEXT) AS what
           FROM payouts p
           LEFT JOIN (SELECT payout_id, count(*) AS lines, CAST(sum(amount) AS BIGINT) AS amount,
                             sum(CASE WHEN state = 'in' THEN 1 ELSE 0 END) AS waiting,
                             sum(CASE WHEN state = 'locked' THEN 1 ELSE 0 END) AS open,
                             sum(CASE WHEN state IN ('locked', 'paid', 'failed', 'returned') THEN 1 ELSE 0 END) AS taken
                        FROM payout_lines
                       WHERE state <> 'out'
                       GROUP BY payout_id) l ON l.payout_id = p.id
          WHERE p.lines <> COALESCE(l.lines, 0)
             OR p.amount <> COALESCE(l.amount, 0)
             OR (p.state IN ('building', 'draft', 'dropped') AND COALESCE(l.taken, 0) > 0)
             OR (p.state IN ('locked', 'approved', 'closed') AND COALESCE(l.waiting, 0) > 0)
             OR (p.state = 'closed' AND COALESCE(l.open, 0) > 0)
          LIMIT 20",
    ),
    (
        "a locked payout has the settings that its files are made by, and no other payout has any",
        "SELECT 'payout ' || CAST(p.id AS TEXT) || ' is ' || p.state || ' with the settings of '
                  || CAST(COALESCE(z.formats, 0) AS TEXT) || ' kinds of file' AS what
           FROM payouts p
           LEFT JOIN (SELECT payout_id, count(*) AS formats
                        FROM payout_frozen
                       GROUP BY payout_id) z ON z.payout_id = p.id
          WHERE (p.state IN ('locking', 'locked', 'approved', 'closed')
                 AND (p.payer IS NULL OR p.timezone IS NULL OR z.formats IS NULL))
             OR (p.state NOT IN ('locking', 'locked', 'approved', 'closed')
                 AND (p.payer IS NOT NULL OR p.timezone IS NOT NULL OR z.formats IS NOT NULL))
          UNION ALL
         SELECT 'payout ' || CAST(z.payout_id AS TEXT) || ' has settings for ' || z.format || ' that are not its own'
           FROM payout_frozen z
           LEFT JOIN payouts p ON p.id = z.payout_id
           LEFT JOIN payout_settings s ON s.id = z.settings_id
          WHERE p.id IS NULL
             OR s.id IS NULL
             OR s.format <> z.format
             OR s.business_id <> p.business_id
          UNION ALL
         SELECT 'the settings for ' || f.format || ' of business ' || CAST(f.business_id AS TEXT)
           FROM payout_formats f
           LEFT JOIN payout_settings s ON s.id = f.settings_id
          WHERE f.settings_id IS NOT NULL
            AND (s.id IS NULL OR s.format <> f.format OR s.business_id <> f.business_id)
          LIMIT 20",
    ),
    (
        "every line of a locked payout can stand in its files",
        "SELECT 'line ' || CAST(l.id AS TEXT) || ' of ' || CAST(l.amount AS TEXT) || ' ' || l.currency || ' in payout '
                  || CAST(p.id AS TEXT) || ' by ' || p.method AS what
           FROM payouts p
           JOIN payout_lines l ON l.payout_id = p.id
           LEFT JOIN payout_details d ON d.id = l.details_id
          WHERE p.state IN ('locked', 'approved', 'closed')
            AND l.state <> 'out'
            AND (l.currency <> p.currency
                 OR l.business_id <> p.business_id
                 OR l.amount <= 0
                 OR (l.details_id IS NULL AND p.method <> 'hand')
                 OR (l.details_id IS NOT NULL
                     AND (d.id IS NULL
                          OR d.method <> p.method
                          OR d.referrer_id <> l.referrer_id
                          OR d.business_id <> l.business_id)))
          LIMIT 20",
    ),
    (
        "a ledger entry of an adjustment or a line is of its referrer and currency",
        "SELECT 'ledger entry ' || CAST(e.id AS TEXT) AS what
           FROM ledger_entries e
           LEFT JOIN adjustments a ON a.id = e.adjustment_id
           LEFT JOIN payout_lines l ON l.id = e.line_id
          WHERE (e.adjustment_id IS NOT NULL
                 AND (a.id IS NULL
                      OR a.referrer_id <> e.referrer_id
                      OR a.currency <> e.currency
                      OR a.business_id <> e.business_id))
             OR (e.line_id IS NOT NULL
                 AND (l.id IS NULL
                      OR l.referrer_id <> e.referrer_id
                      OR l.currency <> e.currency
                      OR l.business_id <> e.business_id))
          LIMIT 20",
    ),
];
