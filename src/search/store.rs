mod queue;

use std::collections::{BTreeSet, HashMap};

use super::Scope;
use super::grams::Block;
use crate::clock::Instant;
use crate::db::{Conn, DbError, DbResult, Tx, sql};
use crate::{row, rows};

pub use queue::{count_waiting, dequeue, enqueue, enqueue_codes, newest_waiting, next_waiting, waiting};

/// The words of some scopes that have one of some keys.
pub async fn words_with(conn: &mut Conn, scopes: &[Scope], keys: &BTreeSet<String>) -> DbResult<BTreeSet<String>> {
    let wanted = scopes.iter().flat_map(|scope| keys.iter().map(|key| (scope.number(), key)));
    let found: Vec<(String,)> = sql("SELECT w.word
           FROM rows($1, scope BIGINT, key TEXT) r
           CROSS JOIN search_words w
          WHERE w.scope = r.scope
            AND w.key = r.key
          LIMIT 2000")
    .bind(rows!(wanted, (scope, key) => { scope: scope, key: key }))
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(word,)| word).collect())
}

/// The words among some that a scope does not have yet.
pub async fn new_words(conn: &mut Conn, scope: i64, words: &[String]) -> DbResult<Vec<String>> {
    let found: Vec<(String,)> = sql("SELECT r.word
           FROM rows($2, word TEXT) r
          WHERE NOT EXISTS (SELECT 1
                              FROM search_words w
                             WHERE w.scope = $1
                               AND w.key = '=' || r.word
                               AND w.word = r.word)")
    .bind(scope)
    .bind(rows!(words, word => { word: word }))
    .patient()
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(word,)| word).collect())
}

/// Adds words by their keys: (key, word), sorted.
pub async fn add_words(tx: &mut Tx, &(scope, ref words): &(i64, Vec<(String, String)>)) -> DbResult<()> {
    sql("INSERT INTO search_words (scope, key, word)
         SELECT $1, r.key, r.word
           FROM rows($2, key TEXT, word TEXT) r
          WHERE true
         ON CONFLICT (scope, key, word) DO NOTHING")
    .bind(scope)
    .bind(rows!(words, (key, word) => { key: key, word: word }))
    .execute(tx)
    .await?;
    Ok(())
}

row! {
    /// A row as it goes into a segment.
    #[derive(Debug, Clone)]
    pub struct Doc {
        pub id: i64,
        pub created_at: i64,
        pub text: String,
    }
}

/// The searched texts of some rows of a scope: the person's, with the codes that are theirs. Removed rows are left out.
pub async fn docs(conn: &mut Conn, kind: super::Kind, ids: &[i64]) -> DbResult<Vec<Doc>> {
    let text = match kind {
        super::Kind::Lead | super::Kind::TestLead => {
            "SELECT l.id, l.created_at, l.search || ' ' || COALESCE(c.search, '') AS text
               FROM rows($1, id BIGINT) r
               CROSS JOIN leads l
               LEFT JOIN codes c ON c.id = l.code_id
              WHERE l.id = r.id"
        }
        super::Kind::Referrer => {
            "SELECT p.id, p.created_at, p.search AS text
               FROM rows($1, id BIGINT) r
               CROSS JOIN referrers p
              WHERE p.id = r.id
              UNION ALL
             SELECT c.referrer_id, 0, c.search
               FROM rows($1, id BIGINT) r
               CROSS JOIN codes c
              WHERE c.referrer_id = r.id"
        }
        super::Kind::Code => {
            "SELECT c.id, c.created_at, c.search || ' ' || p.search AS text
               FROM rows($1, id BIGINT) r
               CROSS JOIN codes c
               JOIN referrers p ON p.id = c.referrer_id
              WHERE c.id = r.id"
        }
    };
    let texts: Vec<Doc> = sql(text).bind(rows!(ids, id => { id: *id })).patient().all(conn).await?;
    let mut at: HashMap<i64, usize> = HashMap::with_capacity(texts.len());
    let mut docs: Vec<Doc> = Vec::with_capacity(texts.len());
    // A referrer comes once, and once more for each code.
    for doc in texts {
        match at.get(&doc.id).and_then(|at| docs.get_mut(*at)) {
            Some(first) => {
                first.created_at = first.created_at.max(doc.created_at);
                first.text = format!("{} {}", first.text, doc.text);
            }
            None => {
                at.insert(doc.id, docs.len());
                docs.push(doc);
            }
        }
    }
    Ok(docs)
}

/// The ids of a scope's rows behind one, for the proof that all of them are found.
pub async fn ids_behind(conn: &mut Conn, scope: super::Scope, behind: i64, most: i64) -> DbResult<Vec<i64>> {
    let text = match scope.kind() {
        super::Kind::Lead | super::Kind::TestLead => {
            "SELECT id
               FROM leads
              WHERE campaign_id = $1
                AND test = $2
                AND id > $3
              ORDER BY id
              LIMIT $4"
        }
        super::Kind::Referrer => {
            "SELECT id
               FROM referrers
              WHERE business_id = $1
                AND $2 = $2
                AND id > $3
              ORDER BY id
              LIMIT $4"
        }
        super::Kind::Code => {
            "SELECT id
               FROM codes
              WHERE campaign_id = $1
                AND $2 = $2
                AND id > $3
              ORDER BY id
              LIMIT $4"
        }
    };
    let found: Vec<(i64,)> = sql(text)
        .bind(scope.owner())
        .bind(scope.kind() == super::Kind::TestLead)
        .bind(behind)
        .bind(most)
        .patient()
        .all(conn)
        .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

row! {
    #[derive(Debug, Clone)]
    pub struct Segment {
        pub id: i64,
        pub size: i64,
        pub marks: String,
    }
}

/// The segments of a scope that are searched.
pub async fn segments(conn: &mut Conn, scope: i64) -> DbResult<Vec<Segment>> {
    sql("SELECT id, size, marks
           FROM search_segments
          WHERE scope = $1
            AND gone_at IS NULL
          ORDER BY id")
    .bind(scope)
    .all(conn)
    .await
}

row! {
    /// The block that would hold a gram of a segment: a block is named by its first gram.
    #[derive(Debug, Clone, Copy)]
    pub struct Held {
        pub segment_id: i64,
        pub gram: i64,
        pub block: Option<i64>,
    }
}

/// The block that would hold each gram of each segment. A sub-select per row leaves a planner no choice.
pub async fn holding(conn: &mut Conn, segments: &[Segment], grams: &[i64]) -> DbResult<Vec<Held>> {
    let wanted = segments.iter().flat_map(|s| grams.iter().map(|gram| (s.id, *gram)));
    sql("SELECT r.segment_id, r.gram,
                (SELECT max(b.gram)
                   FROM search_blocks b
                  WHERE b.segment_id = r.segment_id
                    AND b.gram <= r.gram) AS block
           FROM rows($1, segment_id BIGINT, gram BIGINT) r")
    .bind(rows!(wanted, (segment, gram) => { segment_id: segment, gram: gram }))
    .all(conn)
    .await
}

row! {
    #[derive(Debug, Clone)]
    pub struct BlockRow {
        pub segment_id: i64,
        pub block: i64,
        pub body: String,
    }
}

/// Some blocks: (segment, block).
pub async fn blocks(conn: &mut Conn, wanted: &BTreeSet<(i64, i64)>) -> DbResult<Vec<BlockRow>> {
    sql("SELECT b.segment_id, b.gram AS block, b.body
           FROM rows($1, segment_id BIGINT, gram BIGINT) r
           CROSS JOIN search_blocks b
          WHERE b.segment_id = r.segment_id
            AND b.gram = r.gram")
    .bind(rows!(wanted, (segment, gram) => { segment_id: *segment, gram: *gram }))
    .all(conn)
    .await
}

/// Every block of a segment.
pub async fn all_blocks(conn: &mut Conn, segment_id: i64) -> DbResult<Vec<String>> {
    let found: Vec<(String,)> = sql("SELECT body
           FROM search_blocks
          WHERE segment_id = $1")
    .bind(segment_id)
    .patient()
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(body,)| body).collect())
}

/// The ids of the rows of some segments.
pub async fn members(conn: &mut Conn, segments: &[i64]) -> DbResult<Vec<(i64, String)>> {
    sql("SELECT s.id, s.docs
           FROM rows($1, id BIGINT) r
           CROSS JOIN search_segments s
          WHERE s.id = r.id")
    .bind(rows!(segments, id => { id: *id }))
    .all(conn)
    .await
}

/// A segment about to be stored.
#[derive(Debug, Clone)]
pub struct NewSegment {
    pub id: i64,
    pub scope: i64,
    pub size: i64,
    pub marks: String,
    pub docs: String,
    pub blocks: Vec<Block>,
    /// The segments that it replaces.
    pub merged: Vec<i64>,
}

pub async fn insert(tx: &mut Tx, new: &NewSegment) -> DbResult<()> {
    let now = tx.now();
    sql("INSERT INTO search_segments (id, scope, size, marks, docs)
         VALUES ($1, $2, $3, $4, $5)")
    .bind(new.id)
    .bind(new.scope)
    .bind(new.size)
    .bind(&new.marks)
    .bind(&new.docs)
    .execute(tx)
    .await?;
    sql("INSERT INTO search_blocks (segment_id, gram, body)
         SELECT $2, r.gram, r.body
           FROM rows($1, gram BIGINT, body TEXT) r")
    .bind(rows!(&new.blocks, b => { gram: b.gram, body: &b.body }))
    .bind(new.id)
    .execute(tx)
    .await?;
    if new.merged.is_empty() {
        return Ok(());
    }
    let gone = sql("UPDATE search_segments
                       SET gone_at = $2
                      FROM rows($1, id BIGINT) r
                     WHERE search_segments.id = r.id
                       AND search_segments.gone_at IS NULL")
    .bind(rows!(&new.merged, id => { id: *id }))
    .bind(now)
    .execute(tx)
    .await?;
    if usize::try_from(gone) == Ok(new.merged.len()) {
        Ok(())
    } else {
        Err(DbError::Fault("segments were merged by somebody else".into()))
    }
}

/// A segment that was merged before an instant, if there is one.
pub async fn gone(conn: &mut Conn, before: Instant) -> DbResult<Option<i64>> {
    let found: Option<(i64,)> = sql("SELECT id
           FROM search_segments
          WHERE gone_at IS NOT NULL
            AND gone_at < $1
          ORDER BY gone_at, id
          LIMIT 1")
    .bind(before)
    .optional(conn)
    .await?;
    Ok(found.map(|(id,)| id))
}

pub async fn remove(tx: &mut Tx, &segment_id: &i64) -> DbResult<()> {
    sql("DELETE FROM search_blocks
          WHERE segment_id = $1")
    .bind(segment_id)
    .execute(tx)
    .await?;
    sql("DELETE FROM search_segments
          WHERE id = $1")
    .bind(segment_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Every scope there could be.
pub async fn possible(conn: &mut Conn) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT id * 4 + 2
           FROM businesses
          UNION ALL
         SELECT id * 4
           FROM campaigns
          UNION ALL
         SELECT id * 4 + 1
           FROM campaigns
          UNION ALL
         SELECT id * 4 + 3
           FROM campaigns
          ORDER BY 1")
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(scope,)| scope).collect())
}
