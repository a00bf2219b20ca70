use crate::db::{Conn, DbResult, sql};
use crate::row;

/// The position from which the search continues: after this hold and commission.
pub type Position = (String, i64);

row! {
    #[derive(Debug, Clone)]
    pub struct Due {
        pub id: i64,
        pub hold_until: String,
        pub held_back: bool,
    }
}

/// The next pending commissions whose hold ended before `today`, oldest hold first.
pub async fn due(conn: &mut Conn, business_id: i64, today: &str, after: &Position, most: usize) -> DbResult<Vec<Due>> {
    sql("SELECT c.id, c.hold_until, (e.state = 'banned' OR p.disputed_at IS NOT NULL) AS held_back
           FROM commissions c
           JOIN enrollments e ON e.id = c.enrollment_id
           LEFT JOIN payments p ON p.id = c.payment_id
          WHERE c.business_id = $1
            AND c.state = 'pending'
            AND c.hold_until < $2
            AND (c.hold_until, c.id) > ($3, $4)
          ORDER BY c.hold_until, c.id
          LIMIT $5")
    .bind(business_id)
    .bind(today)
    .bind(&after.0)
    .bind(after.1)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .all(conn)
    .await
}
