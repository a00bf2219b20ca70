//! The customers of a provider's who are leads: they stay these when their e-mail address changes there.

use crate::db::{Conn, DbResult, sql};

/// The e-mail address of the lead that messages naming a customer so came to; of a merged lead, that of the lead it
/// became a part of.
pub async fn address_of(conn: &mut Conn, account_id: i64, text: &str) -> DbResult<Option<String>> {
    let found: Option<(String,)> = sql("SELECT l.email
           FROM provider_mentions n
           JOIN provider_messages m ON m.id = n.message_id
           JOIN leads d ON d.id = m.lead_id
           JOIN leads l ON l.id = COALESCE(d.duplicate_of, d.id)
          WHERE n.account_id = $1
            AND n.text = $2
            AND n.role = 'explains'
            AND l.email IS NOT NULL
          ORDER BY n.message_id
          LIMIT 1")
    .bind(account_id)
    .bind(text)
    .optional(conn)
    .await?;
    Ok(found.map(|(email,)| email))
}
