use crate::db::{Conn, DbResult, sql};
use crate::row;

row! {
    /// An id that a message waits for.
    #[derive(Debug, Clone)]
    pub struct Open {
        pub text: String,
        /// The names of the payments of the messages that wait for it, one a line.
        pub names: Option<String>,
    }
}

impl Open {
    /// The provider's id of the invoice that the message is about.
    pub fn invoice(&self) -> Option<&str> {
        self.names.as_deref()?.lines().find_map(|name| name.strip_prefix("invoice:"))
    }
}

/// True when Stripe was asked for an id.
pub async fn is_asked(conn: &mut Conn, account_id: i64, text: &str) -> DbResult<bool> {
    sql("SELECT EXISTS (SELECT 1
                          FROM provider_messages
                         WHERE account_id = $1
                           AND identity = $2)")
    .bind(account_id)
    .bind(format!("asked:{text}"))
    .scalar(conn)
    .await
}

/// Ids that messages of an account wait for, and that were not asked for yet: those to be explained, and the payment
/// intents of refunds and disputes whose payment is not known.
pub async fn open(conn: &mut Conn, account_id: i64, most: i64) -> DbResult<Vec<Open>> {
    sql("SELECT n.text,
                (SELECT string_agg(o.text, '\n')
                   FROM provider_mentions w
                   JOIN provider_mentions o ON o.message_id = w.message_id
                                           AND o.role = 'names'
                  WHERE w.account_id = $1
                    AND w.role = 'awaits'
                    AND w.text = n.text) AS names
           FROM provider_mentions n
          WHERE n.account_id = $1
            AND n.role = 'awaits'
            AND n.text NOT LIKE 'lead:%'
            AND NOT EXISTS (SELECT 1
                              FROM provider_messages a
                             WHERE a.account_id = n.account_id
                               AND a.identity = 'asked:' || n.text)
          GROUP BY n.text
          UNION ALL
         SELECT n.text, NULL AS names
           FROM provider_messages m
           JOIN provider_mentions n ON n.message_id = m.id
                                   AND n.role = 'names'
          WHERE m.account_id = $1
            AND m.state = 'waiting'
            AND n.text LIKE 'intent:%'
            AND NOT EXISTS (SELECT 1
                              FROM provider_messages a
                             WHERE a.account_id = m.account_id
                               AND a.identity = 'asked:' || n.text)
          GROUP BY n.text
          LIMIT $2")
    .bind(account_id)
    .bind(most)
    .all(conn)
    .await
}

/// True while a connected account with a key has such an id.
pub async fn any(conn: &mut Conn) -> DbResult<bool> {
    sql("SELECT EXISTS (SELECT 1
                          FROM provider_accounts c
                         WHERE c.provider = 'stripe'
                           AND c.disconnected_at IS NULL
                           AND c.masked <> ''
                           AND c.trouble IS NULL
                           AND (EXISTS (SELECT 1
                                          FROM provider_mentions n
                                         WHERE n.account_id = c.id
                                           AND n.role = 'awaits'
                                           AND n.text NOT LIKE 'lead:%'
                                           AND NOT EXISTS (SELECT 1
                                                             FROM provider_messages a
                                                            WHERE a.account_id = n.account_id
                                                              AND a.identity = 'asked:' || n.text))
                                OR EXISTS (SELECT 1
                                             FROM provider_messages m
                                             JOIN provider_mentions n ON n.message_id = m.id
                                                                     AND n.role = 'names'
                                            WHERE m.account_id = c.id
                                              AND m.state = 'waiting'
                                              AND n.text LIKE 'intent:%'
                                              AND NOT EXISTS (SELECT 1
                                                                FROM provider_messages a
                                                               WHERE a.account_id = m.account_id
                                                                 AND a.identity = 'asked:' || n.text))))")
    .scalar(conn)
    .await
}
