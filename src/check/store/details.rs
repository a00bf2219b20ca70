//! The questions about what is stored encrypted: each should be answered by no rows. None of them needs a key.

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
        "payout details are encrypted, and accounts of settings too, with the key that they name",
        "SELECT 'payout details ' || CAST(d.id AS TEXT) || ' with the key ' || d.key_id AS what
           FROM payout_details d
          WHERE d.sealed NOT LIKE '1.' || d.key_id || '.%'
             OR length(d.sealed) < 64
             OR d.masked = ''
          UNION ALL
         SELECT 'settings ' || CAST(s.id AS TEXT) || ' for ' || s.format || ' with the key ' || COALESCE(s.key_id, 'none')
           FROM payout_settings s
          WHERE s.sealed NOT LIKE '1.' || s.key_id || '.%'
             OR length(s.sealed) < 64
             OR s.masked = ''
             OR (s.format = 'sepa' AND s.settings NOT LIKE '%\"iban\":\"\"%')
             OR (s.format = 'wise' AND s.settings NOT LIKE '%\"saved\":[]%')
          LIMIT 20",
    ),
    (
        "every key that texts are encrypted with is known, and one counts",
        "SELECT 'a text with the key ' || d.key_id AS what
           FROM (SELECT key_id
                   FROM payout_details
                  UNION ALL
                 SELECT key_id
                   FROM payout_settings
                  WHERE key_id IS NOT NULL) d
           LEFT JOIN secret_keys k ON k.id = d.key_id
          WHERE k.id IS NULL
             OR NOT EXISTS (SELECT 1
                              FROM secret_keys c
                             WHERE c.current)
          LIMIT 20",
    ),
];
