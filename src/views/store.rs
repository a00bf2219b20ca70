use crate::db::{Conn, DbResult, Tx, sql};
use crate::row;

row! {
    /// A saved view, as its list shows it.
    #[derive(Debug, Clone)]
    pub struct View {
        pub id: i64,
        pub user_id: i64,
        pub name: String,
        pub query: String,
        pub shared: bool,
    }
}

/// The views of a list that a person sees: their own, and those that are shared.
pub async fn of_list(conn: &mut Conn, business_id: i64, user_id: i64, list: &str) -> DbResult<Vec<View>> {
    sql("SELECT id, user_id, name, query, shared
           FROM saved_views
          WHERE business_id = $1
            AND list = $2
            AND (user_id = $3 OR shared)
          ORDER BY id
          LIMIT 200")
    .bind(business_id)
    .bind(list)
    .bind(user_id)
    .all(conn)
    .await
}

/// A view to save.
#[derive(Debug, Clone)]
pub struct NewView {
    pub business_id: i64,
    pub user_id: i64,
    pub list: &'static str,
    pub name: String,
    pub query: String,
    pub shared: bool,
}

/// Saves a view; one of the same person and name is replaced.
pub async fn save(tx: &mut Tx, new: &NewView) -> DbResult<()> {
    sql("DELETE FROM saved_views
          WHERE business_id = $1
            AND list = $2
            AND user_id = $3
            AND name = $4")
    .bind(new.business_id)
    .bind(new.list)
    .bind(new.user_id)
    .bind(&new.name)
    .execute(tx)
    .await?;
    let (id, now) = (tx.id(), tx.now());
    sql("INSERT INTO saved_views (id, business_id, user_id, list, name, query, shared, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
    .bind(id?)
    .bind(new.business_id)
    .bind(new.user_id)
    .bind(new.list)
    .bind(&new.name)
    .bind(&new.query)
    .bind(new.shared)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Removes a view: one's own, or with `any` that of somebody else. Answers its list and name.
pub async fn remove(
    tx: &mut Tx,
    &(business_id, user_id, id, any): &(i64, i64, i64, bool),
) -> DbResult<Option<(String, String)>> {
    sql("DELETE FROM saved_views
          WHERE id = $1
            AND business_id = $2
            AND (user_id = $3 OR (shared AND $4))
         RETURNING list, name")
    .bind(id)
    .bind(business_id)
    .bind(user_id)
    .bind(any)
    .optional(tx)
    .await
}
