//! The questions about counters: each should be answered by no rows.

/// Each with a query that returns one text per broken row.
pub const QUESTIONS: [(&str, &str); 12] = [
    (
        "the leads counted are the leads there are",
        "SELECT 'campaign ' || CAST(c.id AS TEXT) || ' counts ' || CAST(COALESCE(k.value, 0) AS TEXT) || ', has '
                  || CAST(COALESCE(l.value, 0) AS TEXT) AS what
           FROM campaigns c
           LEFT JOIN (SELECT scope_id, CAST(sum(value) AS BIGINT) AS value
                        FROM counters
                       WHERE name = 'leads'
                         AND day = ''
                       GROUP BY scope_id) k ON k.scope_id = c.id
           LEFT JOIN (SELECT campaign_id, count(*) AS value
                        FROM leads
                       WHERE NOT test
                         AND archived_at IS NULL
                       GROUP BY campaign_id) l ON l.campaign_id = c.id
          WHERE COALESCE(k.value, 0) <> COALESCE(l.value, 0)
          LIMIT 20",
    ),
    (
        "the qualified leads counted are the qualified leads there are",
        "SELECT 'campaign ' || CAST(c.id AS TEXT) || ' counts ' || CAST(COALESCE(k.value, 0) AS TEXT) || ', has '
                  || CAST(COALESCE(l.value, 0) AS TEXT) AS what
           FROM campaigns c
           LEFT JOIN (SELECT scope_id, CAST(sum(value) AS BIGINT) AS value
                        FROM counters
                       WHERE name = 'qualified'
                         AND day = ''
                       GROUP BY scope_id) k ON k.scope_id = c.id
           LEFT JOIN (SELECT campaign_id, count(*) AS value
                        FROM leads
                       WHERE NOT test
                         AND qualified_at IS NOT NULL
                       GROUP BY campaign_id) l ON l.campaign_id = c.id
          WHERE COALESCE(k.value, 0) <> COALESCE(l.value, 0)
          LIMIT 20",
    ),
    (
        "the leads counted by status are the leads there are",
        "SELECT 'campaign ' || CAST(l.campaign_id AS TEXT) || ' has ' || CAST(l.value AS TEXT) || ' ' || l.status
                  || ', counts ' || CAST(COALESCE(k.value, 0) AS TEXT) AS what
           FROM (SELECT campaign_id, status, count(*) AS value
                   FROM leads
                  WHERE NOT test
                    AND archived_at IS NULL
                  GROUP BY campaign_id, status) l
           LEFT JOIN (SELECT scope_id, name, CAST(sum(value) AS BIGINT) AS value
                        FROM counters
                       WHERE day = ''
                       GROUP BY scope_id, name) k ON k.scope_id = l.campaign_id
                                                 AND k.name = 'leads.status.' || l.status
          WHERE COALESCE(k.value, 0) <> l.value
          LIMIT 20",
    ),
    (
        "the people counted by the day they came are the people there are",
        "SELECT name || ' of ' || CAST(scope_id AS TEXT) || ' on ' || day || ': '
                  || CAST(CAST(sum(value) AS BIGINT) AS TEXT) || ' not counted' AS what
           FROM (SELECT campaign_id AS scope_id, 'users.leads' AS name,
                        'u' || CAST(created_at / 86400000000 AS TEXT) AS day, count(*) AS value
                   FROM leads
                  WHERE NOT test
                    AND archived_at IS NULL
                  GROUP BY 1, 3
                  UNION ALL
                 SELECT campaign_id, 'users.leads', '', count(*)
                   FROM leads
                  WHERE NOT test
                    AND archived_at IS NULL
                  GROUP BY 1
                  UNION ALL
                 SELECT campaign_id, 'users.referrers', 'u' || CAST(created_at / 86400000000 AS TEXT), count(*)
                   FROM enrollments
                  WHERE NOT archived
                  GROUP BY 1, 3
                  UNION ALL
                 SELECT campaign_id, 'users.referrers', '', count(*)
                   FROM enrollments
                  WHERE NOT archived
                  GROUP BY 1
                  UNION ALL
                 SELECT business_id, 'users.referrers', 'u' || CAST(created_at / 86400000000 AS TEXT), count(*)
                   FROM referrers
                  WHERE archived_at IS NULL
                  GROUP BY 1, 3
                  UNION ALL
                 SELECT business_id, 'users.referrers', '', count(*)
                   FROM referrers
                  WHERE archived_at IS NULL
                  GROUP BY 1
                  UNION ALL
                 SELECT scope_id, name, day, -value
                   FROM counters
                  WHERE name LIKE 'users.%') counted
          GROUP BY scope_id, name, day
         HAVING sum(value) <> 0
          LIMIT 20",
    ),
    (
        "the leads counted by status and source are the leads there are",
        "SELECT 'business ' || CAST(scope_id AS TEXT) || ' counts ' || CAST(CAST(-sum(value) AS BIGINT) AS TEXT)
                  || ' too many under ' || name AS what
           FROM (SELECT business_id AS scope_id, 'listed.' || status AS name, count(*) AS value
                   FROM leads
                  WHERE NOT test
                    AND archived_at IS NULL
                  GROUP BY business_id, status
                  UNION ALL
                 SELECT business_id, 'listed.' || status || '|' || source, count(*)
                   FROM leads
                  WHERE NOT test
                    AND archived_at IS NULL
                    AND source IS NOT NULL
                  GROUP BY business_id, status, source
                  UNION ALL
                 SELECT scope_id, name, -value
                   FROM counters
                  WHERE day = ''
                    AND name LIKE 'listed.%') counted
          GROUP BY scope_id, name
         HAVING sum(value) <> 0
          LIMIT 20",
    ),
    (
        "the revenue counted is the payments there are",
        "SELECT 'campaign ' || CAST(p.campaign_id AS TEXT) || ' has ' || CAST(p.value AS TEXT) || ' ' || p.currency
                  || ', counts ' || CAST(COALESCE(k.value, 0) AS TEXT) AS what
           FROM (SELECT campaign_id, currency, CAST(sum(amount - refunded) AS BIGINT) AS value
                   FROM payments
                  WHERE NOT test
                  GROUP BY campaign_id, currency) p
           LEFT JOIN (SELECT scope_id, name, CAST(sum(value) AS BIGINT) AS value
                        FROM counters
                       WHERE day = ''
                       GROUP BY scope_id, name) k ON k.scope_id = p.campaign_id
                                                 AND k.name = 'revenue.' || p.currency
          WHERE COALESCE(k.value, 0) <> p.value
          LIMIT 20",
    ),
    (
        "the revenue counted of a code is what its leads paid",
        "SELECT 'code or enrollment ' || CAST(d.scope_id AS TEXT) || ', ' || d.name || ', is off by '
                  || CAST(CAST(sum(d.value) AS BIGINT) AS TEXT) AS what
           FROM (SELECT COALESCE(l.code_id, l.enrollment_id) AS scope_id, 'revenue.' || p.currency AS name,
                        p.amount - p.refunded AS value
                   FROM payments p
                   JOIN leads l ON l.id = p.lead_id
                  WHERE NOT p.test
                    AND l.enrollment_id IS NOT NULL
                  UNION ALL
                 SELECT k.scope_id, k.name, -k.value
                   FROM counters k
                  WHERE k.day = ''
                    AND k.name LIKE 'revenue.%'
                    AND k.scope_id NOT IN (SELECT id FROM campaigns)) d
          GROUP BY d.scope_id, d.name
         HAVING sum(d.value) <> 0
          LIMIT 20",
    ),
    (
        "the money counted is the ledger",
        "SELECT 'campaign ' || CAST(e.campaign_id AS TEXT) || ', ' || e.account || ' ' || e.currency AS what
           FROM (SELECT COALESCE(c.campaign_id, a.campaign_id) AS campaign_id, e.account, e.currency,
                        CAST(sum(e.amount) AS BIGINT) AS value
                   FROM ledger_entries e
                   LEFT JOIN commissions c ON c.id = e.commission_id
                   LEFT JOIN adjustments a ON a.id = e.adjustment_id
                  GROUP BY COALESCE(c.campaign_id, a.campaign_id), e.account, e.currency) e
           LEFT JOIN (SELECT scope_id, name, CAST(sum(value) AS BIGINT) AS value
                        FROM counters
                       WHERE day = ''
                       GROUP BY scope_id, name) k ON k.scope_id = e.campaign_id
                                                 AND k.name = 'money.' || e.account || '.' || e.currency
          WHERE e.campaign_id IS NOT NULL
            AND COALESCE(k.value, 0) <> e.value
          LIMIT 20",
    ),
    (
        "the pending money counted by the end of its hold is the commissions there are",
        "SELECT 'campaign ' || CAST(d.scope_id AS TEXT) || ', ' || d.name || ' on ' || d.day || ', is off by '
                  || CAST(CAST(sum(d.value) AS BIGINT) AS TEXT) AS what
           FROM (SELECT campaign_id AS scope_id, 'pending.' || currency AS name, 'h' || hold_until AS day, amount AS value
                   FROM commissions
                  WHERE NOT test
                    AND state = 'pending'
                  UNION ALL
                 SELECT k.scope_id, k.name, k.day, -k.value
                   FROM counters k
                  WHERE k.name LIKE 'pending.%') d
          GROUP BY d.scope_id, d.name, d.day
         HAVING sum(d.value) <> 0
          LIMIT 20",
    ),
    (
        "the leads counted of a code or an enrollment are the leads there are",
        "SELECT 'code or enrollment ' || CAST(d.scope_id AS TEXT) || ', ' || d.name || ', is off by '
                  || CAST(CAST(sum(d.value) AS BIGINT) AS TEXT) AS what
           FROM (SELECT COALESCE(code_id, enrollment_id) AS scope_id, 'leads' AS name, 1 AS value
                   FROM leads
                  WHERE NOT test
                    AND enrollment_id IS NOT NULL
                  UNION ALL
                 SELECT COALESCE(code_id, enrollment_id), 'qualified', 1
                   FROM leads
                  WHERE NOT test
                    AND enrollment_id IS NOT NULL
                    AND qualified_at IS NOT NULL
                  UNION ALL
                 SELECT k.scope_id, k.name, -k.value
                   FROM counters k
                  WHERE k.day = ''
                    AND k.name IN ('leads', 'qualified')
                    AND k.scope_id NOT IN (SELECT id FROM campaigns)) d
          GROUP BY d.scope_id, d.name
         HAVING sum(d.value) <> 0
          LIMIT 20",
    ),
    (
        "the earnings counted of an enrollment are its ledger entries",
        "SELECT 'enrollment ' || CAST(d.scope_id AS TEXT) || ', ' || d.name || ', is off by '
                  || CAST(CAST(sum(d.value) AS BIGINT) AS TEXT) AS what
           FROM (SELECT COALESCE(c.enrollment_id, a.enrollment_id) AS scope_id, 'earned.' || e.currency AS name,
                        e.amount AS value
                   FROM ledger_entries e
                   LEFT JOIN commissions c ON c.id = e.commission_id
                   LEFT JOIN adjustments a ON a.id = e.adjustment_id
                  UNION ALL
                 SELECT k.scope_id, k.name, -k.value
                   FROM counters k
                  WHERE k.day = ''
                    AND k.name LIKE 'earned.%') d
          WHERE d.scope_id IS NOT NULL
          GROUP BY d.scope_id, d.name
         HAVING sum(d.value) <> 0
          LIMIT 20",
    ),
    (
        "the figures that lists sort by are the figures counted, or wait to be",
        "SELECT 'enrollment ' || CAST(e.id AS TEXT) AS what
           FROM enrollments e
           JOIN businesses b ON b.id = e.business_id
           LEFT JOIN (SELECT s.enrollment_id, k.name, CAST(sum(k.value) AS BIGINT) AS value
                        FROM (SELECT id AS enrollment_id, id AS scope_id
                                FROM enrollments
                               UNION ALL
                              SELECT enrollment_id, id
                                FROM codes) s
                        JOIN counters k ON k.scope_id = s.scope_id
                                       AND k.day = ''
                       GROUP BY s.enrollment_id, k.name) f ON f.enrollment_id = e.id
          WHERE NOT EXISTS (SELECT 1
                              FROM figures_queue q
                             WHERE q.scope_id IN (e.id, e.business_id)
                                OR q.scope_id IN (SELECT c.id
                                                    FROM codes c
                                                   WHERE c.enrollment_id = e.id))
          GROUP BY e.id, e.leads, e.qualified, e.revenue, e.earned, b.currency
         HAVING e.leads <> COALESCE(sum(CASE WHEN f.name = 'leads' THEN f.value END), 0)
             OR e.qualified <> COALESCE(sum(CASE WHEN f.name = 'qualified' THEN f.value END), 0)
             OR e.revenue <> COALESCE(sum(CASE WHEN f.name = 'revenue.' || b.currency THEN f.value END), 0)
             OR e.earned <> COALESCE(sum(CASE WHEN f.name = 'earned.' || b.currency THEN f.value END), 0)
          UNION ALL
         SELECT 'code ' || CAST(c.id AS TEXT)
           FROM codes c
           JOIN businesses b ON b.id = c.business_id
           LEFT JOIN (SELECT scope_id, name, CAST(sum(value) AS BIGINT) AS value
                        FROM counters
                       WHERE day = ''
                       GROUP BY scope_id, name) f ON f.scope_id = c.id
          WHERE NOT EXISTS (SELECT 1
                              FROM figures_queue q
                             WHERE q.scope_id IN (c.id, c.business_id))
          GROUP BY c.id, c.clicks, c.leads, c.qualified, c.revenue, b.currency
         HAVING c.clicks <> COALESCE(sum(CASE WHEN f.name = 'clicks' THEN f.value END), 0)
             OR c.leads <> COALESCE(sum(CASE WHEN f.name = 'leads' THEN f.value END), 0)
             OR c.qualified <> COALESCE(sum(CASE WHEN f.name = 'qualified' THEN f.value END), 0)
             OR c.revenue <> COALESCE(sum(CASE WHEN f.name = 'revenue.' || b.currency THEN f.value END), 0)
          LIMIT 20",
    ),
];
