use std::collections::BTreeSet;

use crate::db::{Conn, DbResult, Tx, sql};
use crate::{row, rows};

/// An object of a past period, as the event that would have brought it.
#[derive(Debug, Clone)]
pub struct Staged {
    pub identity: String,
    pub happened_at: i64,
    pub body: String,
    /// The person who paid; '' for what belongs to another's payment.
    pub person: String,
    pub names: Vec<String>,
}

row! {
    #[derive(Debug, Clone)]
    struct StagedRow {
        pub identity: String,
        pub happened_at: i64,
        pub body: String,
        pub person: String,
    }
}

impl From<StagedRow> for Staged {
    fn from(row: StagedRow) -> Self {
        let StagedRow { identity, happened_at, body, person } = row;
        Self { identity, happened_at, body, person, names: Vec::new() }
    }
}

/// Stages objects that a run does not have; answers how many there were.
pub async fn stage(tx: &mut Tx, run_id: i64, staged: &[Staged]) -> DbResult<u64> {
    if staged.is_empty() {
        return Ok(0);
    }
    let new = sql("INSERT INTO provider_staged (run_id, identity, happened_at, body, person)
         SELECT $2, r.identity, r.happened_at, r.body, r.person
           FROM rows($1, identity TEXT, happened_at BIGINT, body TEXT, person TEXT) r
          WHERE true
             ON CONFLICT (run_id, identity) DO NOTHING")
    .bind(rows!(staged, s => { identity: &s.identity, happened_at: s.happened_at, body: &s.body, person: &s.person }))
    .bind(run_id)
    .execute(tx)
    .await?;
    let names: Vec<(&str, &str)> =
        staged.iter().flat_map(|s| s.names.iter().map(|name| (name.as_str(), s.identity.as_str()))).collect();
    if !names.is_empty() {
        sql("INSERT INTO provider_staged_names (run_id, name, identity)
             SELECT $2, r.name, r.identity
               FROM rows($1, name TEXT, identity TEXT) r
              WHERE true
                 ON CONFLICT (run_id, name, identity) DO NOTHING")
        .bind(rows!(names, (name, identity) => { name: name, identity: identity }))
        .bind(run_id)
        .execute(tx)
        .await?;
    }
    Ok(new)
}

/// The identities, of some, that are stored as messages.
pub async fn stored(conn: &mut Conn, account_id: i64, identities: &[&str]) -> DbResult<BTreeSet<String>> {
    let found: Vec<(String,)> = sql("SELECT m.identity
           FROM rows($1, identity TEXT) r
           JOIN provider_messages m ON m.account_id = $2
                                   AND m.identity = r.identity")
    .bind(rows!(identities, identity => { identity: *identity }))
    .bind(account_id)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(identity,)| identity).collect())
}

/// True when a run has staged something with one of these names.
pub async fn is_staged(conn: &mut Conn, run_id: i64, names: &[String]) -> DbResult<bool> {
    sql("SELECT EXISTS (SELECT 1
                          FROM rows($1, name TEXT) r
                          JOIN provider_staged_names n ON n.run_id = $2
                                                      AND n.name = r.name)")
    .bind(rows!(names, name => { name: name.as_str() }))
    .bind(run_id)
    .scalar(conn)
    .await
}

/// True when a payment with one of these names is recorded, or a message names it.
pub async fn is_known(
    conn: &mut Conn,
    (business_id, account_id, test): (i64, i64, bool),
    names: &[String],
) -> DbResult<bool> {
    sql("SELECT EXISTS (SELECT 1
                          FROM rows($1, name TEXT) r
                          JOIN provider_mentions n ON n.account_id = $3
                                                  AND n.text = r.name
                                                  AND n.role = 'names')
             OR EXISTS (SELECT 1
                          FROM rows($1, name TEXT) q
                          JOIN payment_names y ON y.business_id = $2
                                              AND y.test = $4
                                              AND y.name = q.name)")
    .bind(rows!(names, name => { name: name.as_str() }))
    .bind(business_id)
    .bind(account_id)
    .bind(test)
    .scalar(conn)
    .await
}

/// The next people of a run, behind one of them.
pub async fn people(conn: &mut Conn, run_id: i64, after: &str, most: i64) -> DbResult<Vec<String>> {
    let found: Vec<(String,)> = sql("SELECT DISTINCT person
           FROM provider_staged
          WHERE run_id = $1
            AND person > $2
          ORDER BY person
          LIMIT $3")
    .bind(run_id)
    .bind(after)
    .bind(most)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(person,)| person).collect())
}

/// Objects of one person, at most: a shop that buys for itself may have any number.
const MOST: i64 = 2_000;

pub async fn of_person(conn: &mut Conn, run_id: i64, person: &str) -> DbResult<Vec<Staged>> {
    let found: Vec<StagedRow> = sql("SELECT identity, happened_at, body, person
           FROM provider_staged
          WHERE run_id = $1
            AND person = $2
          ORDER BY happened_at, identity
          LIMIT $3")
    .bind(run_id)
    .bind(person)
    .bind(MOST)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(Staged::from).collect())
}

/// The objects that are staged under a name of some others, with these.
pub async fn beside(conn: &mut Conn, run_id: i64, identities: &[&str]) -> DbResult<Vec<Staged>> {
    let found: Vec<StagedRow> = sql("SELECT s.identity, s.happened_at, s.body, s.person
           FROM provider_staged s
          WHERE s.run_id = $2
            AND s.identity IN (SELECT b.identity
                                 FROM rows($1, identity TEXT) r
                                 JOIN provider_staged_names a ON a.run_id = $2
                                                             AND a.identity = r.identity
                                 JOIN provider_staged_names b ON b.run_id = $2
                                                             AND b.name = a.name)
          ORDER BY s.happened_at, s.identity")
    .bind(rows!(identities, identity => { identity: *identity }))
    .bind(run_id)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(Staged::from).collect())
}

/// The next objects to be stored, the oldest first.
pub async fn next(conn: &mut Conn, run_id: i64, most: i64) -> DbResult<Vec<Staged>> {
    let found: Vec<StagedRow> = sql("SELECT identity, happened_at, body, person
           FROM provider_staged
          WHERE run_id = $1
          ORDER BY happened_at, identity
          LIMIT $2")
    .bind(run_id)
    .bind(most)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(Staged::from).collect())
}

/// Removes objects that are stored as messages.
pub async fn unstage(tx: &mut Tx, run_id: i64, identities: &[String]) -> DbResult<()> {
    if identities.is_empty() {
        return Ok(());
    }
    let table = rows!(identities, identity => { identity: identity.as_str() });
    sql("DELETE FROM provider_staged_names
          WHERE run_id = $2
            AND identity IN (SELECT r.identity
                               FROM rows($1, identity TEXT) r)")
    .bind(table.clone())
    .bind(run_id)
    .execute(tx)
    .await?;
    sql("DELETE FROM provider_staged
          WHERE run_id = $2
            AND identity IN (SELECT r.identity
                               FROM rows($1, identity TEXT) r)")
    .bind(table)
    .bind(run_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// The messages of an account that wait to be applied, up to a number.
pub async fn backlog(conn: &mut Conn, account_id: i64, most: i64) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM (SELECT 1 AS one
                   FROM provider_messages
                  WHERE state = 'new'
                    AND account_id = $1
                  LIMIT $2) w")
    .bind(account_id)
    .bind(most)
    .scalar(conn)
    .await
}

/// The number of messages that imports have stored for an account, by state.
pub async fn by_state(conn: &mut Conn, account_id: i64) -> DbResult<Vec<(String, i64)>> {
    sql("SELECT state, count(*)
           FROM provider_messages
          WHERE account_id = $1
            AND identity >= 'had:'
            AND identity < 'had;'
          GROUP BY state
          ORDER BY state")
    .bind(account_id)
    .all(conn)
    .await
}
