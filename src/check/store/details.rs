//! The questions about payout details: each should be answered by no rows. None of them needs a key.

/// Each with a query that returns one text per broken row.
pub const QUESTIONS: [(&str, &str); 3] = [
    (
        "a referrer has one version of payout details that counts, of their business",
        "SELECT 'payout details ' || CAST(d.id AS TEXT) || ' of referrer ' || CAST(d.referrer_id AS TEXT) AS what
           FROM payout_details d
           LEFT JOIN referrers p ON p.id = d.referrer_id
          WHERE p.id IS NULL
             OR p.business_id <> d.business_id
             OR d.replaced_at < d.created_at
             OR (d.replaced_at IS NULL
                 AND EXISTS (SELECT 1
                               FROM payout_details o
                              WHERE o.referrer_id = d.referrer_id
                                AND o.replaced_at IS NULL
                                AND o.id <> d.id))
          LIMIT 20",
    ),
    (
        "payout details are encrypted, with the key that they name",
        "SELECT 'payout details ' || CAST(d.id AS TEXT) || ' with the key ' || d.key_id AS what
           FROM payout_details d
          WHERE d.sealed NOT LIKE '1.' || d.key_id || '.%'
             OR length(d.sealed) < 64
             OR d.masked = ''
          LIMIT 20",
    ),
    (
        "every key that payout details are encrypted with is known, and one counts",
        "SELECT 'payout details ' || CAST(d.id AS TEXT) || ' with the key ' || d.key_id AS what
           FROM payout_details d
           LEFT JOIN secret_keys k ON k.id = d.key_id
          WHERE k.id IS NULL
             OR NOT EXISTS (SELECT 1
                              FROM secret_keys c
                             WHERE c.current)
          LIMIT 20",
    ),
];
