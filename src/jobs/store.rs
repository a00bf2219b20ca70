use super::{JobRow, LEASE_SECONDS, NewJob, Progress};
use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};

const JOB: &str = "id, business_id, campaign_id, kind, state, input, cursor, done, total, result, claim, attempts,
                   error, actor_kind, actor_id, actor_name, created_at, finished_at";

/// The unfinished job with this key.
pub async fn running(conn: &mut Conn, business_id: i64, join_key: &str) -> DbResult<Option<i64>> {
    let found: Option<(i64,)> = sql("SELECT id
           FROM jobs
          WHERE business_id = $1
            AND join_key = $2
            AND state IN ('queued', 'running')")
    .bind(business_id)
    .bind(join_key)
    .optional(conn)
    .await?;
    Ok(found.map(|(id,)| id))
}

pub async fn insert(tx: &mut Tx, id: i64, new: &NewJob, now: Instant) -> DbResult<u64> {
    sql("INSERT INTO jobs
                (id, business_id, campaign_id, kind, state, join_key, input, cursor, done, total, result,
                 claimed_until, attempts, actor_kind, actor_id, actor_name, created_at)
         VALUES ($1, $2, $3, $4, 'queued', $5, $6, '', 0, $7, '{}', $8, 0, $9, $10, $11, $8)
         ON CONFLICT DO NOTHING")
    .bind(id)
    .bind(new.business_id)
    .bind(new.campaign_id)
    .bind(new.kind)
    .bind(&new.join_key)
    .bind(new.input.to_string())
    .bind(new.total)
    .bind(now)
    .bind(new.actor.kind.word())
    .bind(new.actor.id)
    .bind(&new.actor.name)
    .execute(tx)
    .await
}

/// A job of a business.
pub async fn find(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<JobRow>> {
    crate::db::sql_built(format!(
        "SELECT {JOB}
           FROM jobs
          WHERE id = $1
            AND business_id = $2"
    ))
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}

/// Further ahead than any job is held or put off: the clock was wrong, and went back since.
const FAR_SECONDS: i64 = 3_600;

/// True when a job can be taken: checked by reading, so that an idle program writes nothing.
pub async fn is_any_free(conn: &mut Conn, now: Instant, only: i64) -> DbResult<bool> {
    let found: Option<(i64,)> = sql("SELECT id
           FROM jobs
          WHERE state IN ('queued', 'running')
            AND (claimed_until <= $1 OR claimed_until > $2)
            AND ($3 = 0 OR id = $3)
          LIMIT 1")
    .bind(now)
    .bind(now.plus_seconds(FAR_SECONDS))
    .bind(only)
    .optional(conn)
    .await?;
    Ok(found.is_some())
}

/// Takes the job that has waited longest, or `only` one. A row another node is just taking is passed over.
pub async fn claim(tx: &mut Tx, &(claim, only): &(i64, i64)) -> DbResult<Option<JobRow>> {
    let (now, until) = (tx.now(), tx.now().plus_seconds(LEASE_SECONDS));
    let text = format!(
        "UPDATE jobs
            SET claim = $1, claimed_until = $2, state = 'running', attempts = attempts + 1
          WHERE id = (SELECT id
                        FROM jobs
                       WHERE state IN ('queued', 'running')
                         AND (claimed_until <= $3 OR claimed_until > $4)
                         AND ($5 = 0 OR id = $5)
                       ORDER BY claimed_until, id
                       LIMIT 1
                         FOR NO KEY UPDATE SKIP LOCKED)
         RETURNING {JOB}"
    );
    crate::db::sql_built(text)
        .bind(claim)
        .bind(until)
        .bind(now)
        .bind(now.plus_seconds(FAR_SECONDS))
        .bind(only)
        .optional(tx)
        .await
}

/// Writes how far the holder of the claim has come; no row means that it holds it no longer.
pub async fn advance(tx: &mut Tx, id: i64, claim: i64, now: Instant, until: Instant, p: &Progress) -> DbResult<u64> {
    let finished = p.finished.then_some(now);
    sql("UPDATE jobs
            SET cursor = $3, done = $4, total = $5, result = $6, claimed_until = $7, attempts = 0, error = NULL,
                state = $8, finished_at = $9
          WHERE id = $1
            AND claim = $2
            AND state = 'running'")
    .bind(id)
    .bind(claim)
    .bind(&p.cursor)
    .bind(p.done)
    .bind(p.total)
    .bind(&p.result)
    .bind(until)
    .bind(if p.finished { "done" } else { "running" })
    .bind(finished)
    .execute(tx)
    .await
}

/// Gives a job back, to be taken again in so many seconds.
pub async fn release(tx: &mut Tx, &(id, claim, seconds, ref error): &(i64, i64, i64, Option<String>)) -> DbResult<u64> {
    let at = tx.now().plus_seconds(seconds);
    sql("UPDATE jobs
            SET claim = NULL, claimed_until = $3, error = $4, attempts = CASE WHEN $5 THEN attempts ELSE 0 END
          WHERE id = $1
            AND claim = $2
            AND state = 'running'")
    .bind(id)
    .bind(claim)
    .bind(at)
    .bind(error.as_deref())
    .bind(error.is_some())
    .execute(tx)
    .await
}

pub async fn fail(tx: &mut Tx, &(id, claim, ref error): &(i64, i64, String)) -> DbResult<u64> {
    let now = tx.now();
    sql("UPDATE jobs
            SET state = 'failed', error = $3, finished_at = $4
          WHERE id = $1
            AND claim = $2
            AND state = 'running'")
    .bind(id)
    .bind(claim)
    .bind(error)
    .bind(now)
    .execute(tx)
    .await
}

/// The time of a task's next run; `None` before its first.
pub async fn next_turn(conn: &mut Conn, task: &str) -> DbResult<Option<i64>> {
    let found: Option<(i64,)> = sql("SELECT next_at
           FROM schedule
          WHERE task = $1")
    .bind(task)
    .optional(conn)
    .await?;
    Ok(found.map(|(at,)| at))
}

/// Moves on a task's next run that is due, or further ahead than `far`; exactly one caller succeeds.
pub async fn take_turn(
    tx: &mut Tx,
    &(task, now, far, next): &(&'static str, Instant, Instant, Instant),
) -> DbResult<bool> {
    sql("INSERT INTO schedule (task, next_at)
         VALUES ($1, 0)
         ON CONFLICT DO NOTHING")
    .bind(task)
    .execute(tx)
    .await?;
    let taken = sql("UPDATE schedule
                        SET next_at = $4
                      WHERE task = $1
                        AND (next_at <= $2 OR next_at > $3)")
    .bind(task)
    .bind(now)
    .bind(far)
    .bind(next)
    .execute(tx)
    .await?;
    Ok(taken == 1)
}

/// The end of a run: sets the next one, unless another node has taken the task meanwhile.
pub async fn end_turn(tx: &mut Tx, &(task, held_until, next): &(&'static str, Instant, Instant)) -> DbResult<()> {
    sql("UPDATE schedule
            SET next_at = $3
          WHERE task = $1
            AND next_at = $2")
    .bind(task)
    .bind(held_until)
    .bind(next)
    .execute(tx)
    .await?;
    Ok(())
}
