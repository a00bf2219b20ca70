use std::collections::BTreeMap;

use super::subject::Subject;
use crate::clock::Instant;
use crate::db::{Conn, DbResult, Table, Tx, sql};
use crate::{row, rows};

row! {
    #[derive(Debug, Clone)]
    pub struct Note {
        pub id: i64,
        pub text: String,
        pub author: String,
        pub created_at: i64,
    }
}

/// The notes about something, the newest first, at most 200.
pub async fn notes_of(conn: &mut Conn, business_id: i64, subject_id: i64) -> DbResult<Vec<Note>> {
    sql("SELECT id, text, author, created_at
           FROM notes
          WHERE subject_id = $1
            AND business_id = $2
          ORDER BY id DESC
          LIMIT 200")
    .bind(subject_id)
    .bind(business_id)
    .all(conn)
    .await
}

row! {
    struct TagOf {
        subject_id: i64,
        name: String,
    }
}

/// The tags of some subjects, in the order of their names.
pub async fn tags_of(conn: &mut Conn, subjects: &[i64]) -> DbResult<BTreeMap<i64, Vec<String>>> {
    let mut tags: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    if subjects.is_empty() {
        return Ok(tags);
    }
    let found: Vec<TagOf> = sql("SELECT d.subject_id, t.name
           FROM rows($1, id BIGINT) r
           JOIN tagged d ON d.subject_id = r.id
           JOIN tags t ON t.id = d.tag_id
          ORDER BY d.subject_id, t.name_key")
    .bind(rows!(subjects, id => { id: *id }))
    .all(conn)
    .await?;
    for tag in found {
        tags.entry(tag.subject_id).or_default().push(tag.name);
    }
    Ok(tags)
}

/// The tags of a business: (id, name), in the order of their names, at most 500.
pub async fn all_tags(conn: &mut Conn, business_id: i64) -> DbResult<Vec<(i64, String)>> {
    sql("SELECT id, name
           FROM tags
          WHERE business_id = $1
          ORDER BY name_key
          LIMIT 500")
    .bind(business_id)
    .all(conn)
    .await
}

/// The subjects of a kind that are the business's, among some ids.
pub async fn own(conn: &mut Conn, business_id: i64, kind: Subject, ids: &[i64]) -> DbResult<Vec<i64>> {
    let text = match kind {
        Subject::Lead => {
            "SELECT l.id
               FROM rows($1, id BIGINT) r
               JOIN leads l ON l.id = r.id
              WHERE l.business_id = $2
              ORDER BY l.id"
        }
        Subject::Referrer => {
            "SELECT p.id
               FROM rows($1, id BIGINT) r
               JOIN referrers p ON p.id = r.id
              WHERE p.business_id = $2
              ORDER BY p.id"
        }
    };
    let found: Vec<(i64,)> = sql(text).bind(rows!(ids, id => { id: *id })).bind(business_id).all(conn).await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// The id of a tag, which is made where it is new.
pub async fn tag_id(tx: &mut Tx, id: i64, business_id: i64, (name, key): (&str, &str), now: Instant) -> DbResult<i64> {
    sql("INSERT INTO tags (id, business_id, name, name_key, created_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (business_id, name_key) DO NOTHING")
    .bind(id)
    .bind(business_id)
    .bind(name)
    .bind(key)
    .bind(now)
    .execute(tx)
    .await?;
    sql("SELECT id
           FROM tags
          WHERE business_id = $1
            AND name_key = $2")
    .bind(business_id)
    .bind(key)
    .scalar(tx)
    .await
}

/// Tags subjects with tags: (tag, subject).
pub async fn add(tx: &mut Tx, pairs: &[(i64, i64)]) -> DbResult<()> {
    sql("INSERT INTO tagged (tag_id, subject_id)
         SELECT r.tag_id, r.subject_id
           FROM rows($1, tag_id BIGINT, subject_id BIGINT) r
          WHERE true
         ON CONFLICT (tag_id, subject_id) DO NOTHING")
    .bind(rows!(pairs, (tag, subject) => { tag_id: *tag, subject_id: *subject }))
    .execute(tx)
    .await?;
    Ok(())
}

/// Takes tags, by their keys, from subjects. A tag that nothing has any more stays, to be chosen again.
pub async fn take(tx: &mut Tx, business_id: i64, subjects: &[i64], keys: &[String]) -> DbResult<()> {
    sql("DELETE FROM tagged
          WHERE subject_id IN (SELECT r.id
                                 FROM rows($1, id BIGINT) r)
            AND tag_id IN (SELECT t.id
                             FROM rows($2, name_key TEXT) k
                             JOIN tags t ON t.business_id = $3
                                        AND t.name_key = k.name_key)")
    .bind(rows!(subjects, id => { id: *id }))
    .bind(rows!(keys, key => { name_key: key }))
    .bind(business_id)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn add_note(
    tx: &mut Tx,
    id: i64,
    (business_id, subject_id): (i64, i64),
    (text, author): (&str, &str),
    now: Instant,
) -> DbResult<()> {
    sql("INSERT INTO notes (id, business_id, subject_id, text, author, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(id)
    .bind(business_id)
    .bind(subject_id)
    .bind(text)
    .bind(author)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// The remarks about leads that were merged are about their primaries: (source, target).
pub async fn merge(tx: &mut Tx, merged: Table) -> DbResult<()> {
    sql("UPDATE notes
            SET subject_id = r.target
           FROM rows($1, source BIGINT, target BIGINT) r
          WHERE notes.subject_id = r.source")
    .bind(&merged)
    .execute(tx)
    .await?;
    sql("INSERT INTO tagged (tag_id, subject_id)
         SELECT DISTINCT d.tag_id, r.target
           FROM rows($1, source BIGINT, target BIGINT) r
           JOIN tagged d ON d.subject_id = r.source
          WHERE true
         ON CONFLICT (tag_id, subject_id) DO NOTHING")
    .bind(&merged)
    .execute(tx)
    .await?;
    sql("DELETE FROM tagged
          WHERE subject_id IN (SELECT r.source
                                 FROM rows($1, source BIGINT, target BIGINT) r)")
    .bind(&merged)
    .execute(tx)
    .await?;
    Ok(())
}
