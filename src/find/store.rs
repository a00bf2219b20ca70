//! Payments by the ids that people paste: ours, and those that their senders gave.

use crate::db::{Conn, DbResult, sql};
use crate::{row, rows};

row! {
    #[derive(Debug, Clone)]
    pub struct PaymentHit {
        pub lead_id: Option<i64>,
        pub lead: Option<String>,
        pub email: String,
        pub amount: i64,
        pub currency: String,
        pub payment_date: String,
    }
}

/// Payments with one of some ids, or one of some names.
pub async fn payments(
    conn: &mut Conn,
    business_id: i64,
    test: bool,
    ids: &[i64],
    names: &[String],
) -> DbResult<Vec<PaymentHit>> {
    sql("SELECT y.lead_id, l.name AS lead, y.email, y.amount, y.currency, y.payment_date
           FROM rows($3, id BIGINT) r
           JOIN payments y ON y.id = r.id
           LEFT JOIN leads l ON l.id = y.lead_id
          WHERE y.business_id = $1
            AND y.test = $2
          UNION
         SELECT y.lead_id, l.name, y.email, y.amount, y.currency, y.payment_date
           FROM rows($4, name TEXT) r
           JOIN payment_names n ON n.business_id = $1
                               AND n.test = $2
                               AND n.name = r.name
           JOIN payments y ON y.id = n.payment_id
           LEFT JOIN leads l ON l.id = y.lead_id
          ORDER BY payment_date")
    .bind(business_id)
    .bind(test)
    .bind(rows!(ids, id => { id: *id }))
    .bind(rows!(names, name => { name: name }))
    .all(conn)
    .await
}
