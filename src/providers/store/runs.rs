use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql, sql_built};
use crate::{row, rows, words};

words! {
    /// The kind of object that a run fetches.
    pub enum RunKind {
        Customers = "customers",
        /// Payments of a past period.
        History = "history",
    }
}

words! {
    /// The state of a run.
    pub enum RunState {
        /// Things are fetched, and what would become of them is noted.
        Checking = "checking",
        /// It waits for a person.
        Checked = "checked",
        /// They are applied.
        Running = "running",
        Done = "done",
        Discarded = "discarded",
    }
}

row! {
    /// A run.
    #[derive(Debug, Clone)]
    pub struct RunRow {
        pub id: i64,
        pub business_id: i64,
        pub account_id: i64,
        pub campaign_id: i64,
        pub kind: RunKind,
        pub state: RunState,
        pub asks: bool,
        pub daily: bool,
        pub since: Option<i64>,
        pub job_id: Option<i64>,
        pub cursor: String,
        pub counts: String,
        pub stopped: Option<String>,
        pub again_at: Option<i64>,
        pub created_at: i64,
        pub finished_at: Option<i64>,
    }
}

const RUN: &str = "id, business_id, account_id, campaign_id, kind, state, asks, daily, since, job_id, cursor, counts,
                   stopped, again_at, created_at, finished_at";

pub async fn find(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<RunRow>> {
    sql_built(format!(
        "SELECT {RUN}
           FROM provider_runs
          WHERE id = $1
            AND business_id = $2"
    ))
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}

/// The last runs of a campaign with an account, the newest first.
pub async fn last(
    conn: &mut Conn,
    (account_id, campaign_id): (i64, i64),
    kind: RunKind,
    most: i64,
) -> DbResult<Vec<RunRow>> {
    sql_built(format!(
        "SELECT {RUN}
           FROM provider_runs
          WHERE campaign_id = $1
            AND account_id = $2
            AND kind = $3
            AND state <> 'discarded'
          ORDER BY created_at DESC, id DESC
          LIMIT $4"
    ))
    .bind(campaign_id)
    .bind(account_id)
    .bind(kind)
    .bind(most)
    .all(conn)
    .await
}

/// A run that does just what another one would do: it is not over, reads the same, and asks or does not ask as that.
pub async fn at_it(tx: &mut Tx, new: &NewRun) -> DbResult<Option<RunRow>> {
    sql_built(format!(
        "SELECT {RUN}
           FROM provider_runs
          WHERE campaign_id = $1
            AND account_id = $2
            AND kind = $3
            AND state IN ('checking', 'running')
            AND asks = $4
            AND COALESCE(since, -1) = $5
          ORDER BY created_at DESC, id DESC
          LIMIT 1"
    ))
    .bind(new.campaign_id)
    .bind(new.account_id)
    .bind(new.kind)
    .bind(new.asks)
    .bind(new.since.unwrap_or(-1))
    .optional(tx)
    .await
}

/// A run about to begin.
#[derive(Debug, Clone)]
pub struct NewRun {
    pub business_id: i64,
    pub account_id: i64,
    pub campaign_id: i64,
    pub kind: RunKind,
    pub asks: bool,
    pub daily: bool,
    pub since: Option<i64>,
}

pub async fn insert(tx: &mut Tx, id: i64, new: &NewRun) -> DbResult<()> {
    let now = tx.now();
    sql("INSERT INTO provider_runs
                (id, business_id, account_id, campaign_id, kind, state, asks, daily, since, cursor, counts, created_at,
                 updated_at)
         VALUES ($1, $2, $3, $4, $5, 'checking', $6, $7, $8, '{}', '{}', $9, $9)")
    .bind(id)
    .bind(new.business_id)
    .bind(new.account_id)
    .bind(new.campaign_id)
    .bind(new.kind)
    .bind(new.asks)
    .bind(new.daily)
    .bind(new.since)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes the job that does a run, in the state in which it goes on; false for a run that is not as it was seen any more:
/// somebody said yes to it meanwhile, or threw it away.
pub async fn begin(tx: &mut Tx, seen: &RunRow, (state, asks): (RunState, bool), job_id: i64) -> DbResult<bool> {
    let now = tx.now();
    let begun = sql("UPDATE provider_runs
            SET state = $2, asks = $3, job_id = $4, stopped = NULL, again_at = NULL, updated_at = $5
          WHERE id = $1
            AND state = $6
            AND asks = $7")
    .bind(seen.id)
    .bind(state)
    .bind(asks)
    .bind(job_id)
    .bind(now)
    .bind(seen.state)
    .bind(seen.asks)
    .execute(tx)
    .await?;
    Ok(begun == 1)
}

/// The place to which a run has come.
#[derive(Debug, Clone)]
pub struct Come {
    pub id: i64,
    pub state: RunState,
    pub cursor: String,
    pub counts: String,
    pub stopped: Option<String>,
    pub again_at: Option<i64>,
}

pub async fn come(tx: &mut Tx, come: &Come) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE provider_runs
            SET state = $2, cursor = $3, counts = $4, stopped = $5, again_at = $6, updated_at = $7, finished_at = $8
          WHERE id = $1
            AND state <> 'discarded'")
    .bind(come.id)
    .bind(come.state)
    .bind(&come.cursor)
    .bind(&come.counts)
    .bind(&come.stopped)
    .bind(come.again_at)
    .bind(now)
    .bind((come.state == RunState::Done).then_some(now))
    .execute(tx)
    .await?;
    Ok(())
}

/// Throws a run away of which nothing was applied; false for any other.
pub async fn discard(tx: &mut Tx, &(business_id, id): &(i64, i64)) -> DbResult<bool> {
    let now = tx.now();
    let discarded = sql("UPDATE provider_runs
            SET state = 'discarded', again_at = NULL, updated_at = $3
          WHERE id = $1
            AND business_id = $2
            AND state IN ('checking', 'checked')
            AND asks = true")
    .bind(id)
    .bind(business_id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(discarded == 1)
}

/// Runs that go on by themselves, and campaigns whose customers are due.
pub async fn any_due(conn: &mut Conn, now: Instant) -> DbResult<bool> {
    sql("SELECT EXISTS (SELECT 1
                          FROM provider_runs
                         WHERE again_at <= $1
                           AND again_at IS NOT NULL)
             OR EXISTS (SELECT 1
                          FROM provider_campaigns
                         WHERE sync_next_at <= $1
                           AND sync_next_at IS NOT NULL)")
    .bind(now)
    .scalar(conn)
    .await
}

/// The runs that go on by themselves by then: business and run.
pub async fn again(conn: &mut Conn, now: Instant, most: i64) -> DbResult<Vec<(i64, i64)>> {
    sql("SELECT business_id, id
           FROM provider_runs
          WHERE again_at <= $1
            AND again_at IS NOT NULL
          ORDER BY again_at, id
          LIMIT $2")
    .bind(now)
    .bind(most)
    .all(conn)
    .await
}

row! {
    /// A campaign whose customers are due.
    #[derive(Debug, Clone)]
    pub struct DueLink {
        pub id: i64,
        pub business_id: i64,
        pub account_id: i64,
        pub campaign_id: i64,
        pub synced_until: Option<i64>,
        pub connected: bool,
    }
}

pub async fn due_links(conn: &mut Conn, now: Instant, most: i64) -> DbResult<Vec<DueLink>> {
    sql("SELECT l.id, l.business_id, l.account_id, l.campaign_id, l.synced_until,
                a.disconnected_at IS NULL AS connected
           FROM provider_campaigns l
           JOIN provider_accounts a ON a.id = l.account_id
          WHERE l.sync_next_at <= $1
            AND l.sync_next_at IS NOT NULL
          ORDER BY l.sync_next_at, l.id
          LIMIT $2")
    .bind(now)
    .bind(most)
    .all(conn)
    .await
}

/// Moves the next time of a campaign on from one that is due; false when another node has done so.
pub async fn take_link(tx: &mut Tx, link_id: i64, now: Instant, next: Instant) -> DbResult<bool> {
    let taken = sql("UPDATE provider_campaigns
            SET sync_next_at = $3
          WHERE id = $1
            AND sync_next_at <= $2")
    .bind(link_id)
    .bind(now)
    .bind(next)
    .execute(tx)
    .await?;
    Ok(taken == 1)
}

/// Switches the daily sync of a campaign; false when it is as wished.
pub async fn set_daily(tx: &mut Tx, link_id: i64, next: Option<Instant>) -> DbResult<bool> {
    let changed = sql("UPDATE provider_campaigns
            SET sync_next_at = $2
          WHERE id = $1
            AND (sync_next_at IS NULL) <> (CAST($2 AS BIGINT) IS NULL)")
    .bind(link_id)
    .bind(next)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// Notes that the customers made before a moment were looked at.
pub async fn synced(tx: &mut Tx, (account_id, campaign_id): (i64, i64), until: i64) -> DbResult<()> {
    sql("UPDATE provider_campaigns
            SET synced_until = $3
          WHERE account_id = $1
            AND campaign_id = $2
            AND COALESCE(synced_until, 0) < $3")
    .bind(account_id)
    .bind(campaign_id)
    .bind(until)
    .execute(tx)
    .await?;
    Ok(())
}

words! {
    /// The fate of a customer, decided or foreseen.
    pub enum CustomerFate {
        /// Becomes a referrer.
        New = "new",
        /// Is a referrer, and joins the campaign.
        Joins = "joins",
        /// Is a referrer of the campaign, or in the archive.
        Known = "known",
        /// Has the e-mail address of another customer.
        Same = "same",
        NoEmail = "no_email",
        Invalid = "invalid",
    }
}

row! {
    /// A customer that a run fetched.
    #[derive(Debug, Clone)]
    pub struct CustomerRow {
        pub n: i64,
        pub customer: String,
        pub name: String,
        pub email: String,
        pub email_key: String,
        pub phone: String,
        pub fate: CustomerFate,
        pub why: String,
        pub referrer_id: Option<i64>,
    }
}

pub async fn insert_customers(tx: &mut Tx, run_id: i64, customers: &[CustomerRow]) -> DbResult<()> {
    if customers.is_empty() {
        return Ok(());
    }
    sql("INSERT INTO provider_customers (run_id, n, customer, name, email, email_key, phone, fate, why, referrer_id)
         SELECT $2, r.n, r.customer, r.name, r.email, r.email_key, r.phone, r.fate, r.why, r.referrer_id
           FROM rows($1, n BIGINT, customer TEXT, name TEXT, email TEXT, email_key TEXT, phone TEXT, fate TEXT,
                     why TEXT, referrer_id BIGINT) r")
    .bind(rows!(customers, c => {
        n: c.n, customer: &c.customer, name: &c.name, email: &c.email, email_key: &c.email_key, phone: &c.phone,
        fate: c.fate, why: &c.why, referrer_id: c.referrer_id,
    }))
    .bind(run_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Which of these customers a run has already, and which of these addresses: each with the customer's id.
pub async fn earlier_customers(
    conn: &mut Conn,
    run_id: i64,
    customers: &[&str],
    email_keys: &[&str],
) -> DbResult<Vec<(String, String)>> {
    let mut found: Vec<(String, String)> = sql("SELECT c.customer, c.email_key
           FROM rows($1, customer TEXT) r
           JOIN provider_customers c ON c.run_id = $2
                                    AND c.customer = r.customer")
    .bind(rows!(customers, c => { customer: *c }))
    .bind(run_id)
    .all(conn)
    .await?;
    let by_email: Vec<(String, String)> = sql("SELECT c.customer, c.email_key
           FROM rows($1, k TEXT) r
           JOIN provider_customers c ON c.run_id = $2
                                    AND c.email_key = r.k
          WHERE c.fate <> 'same'")
    .bind(rows!(email_keys, k => { k: *k }))
    .bind(run_id)
    .all(conn)
    .await?;
    found.extend(by_email);
    Ok(found)
}

const CUSTOMER: &str = "n, customer, name, email, email_key, phone, fate, why, referrer_id";

/// The next customers of a run, behind a place in it, who are to become referrers or join.
pub async fn to_add(conn: &mut Conn, run_id: i64, after: i64, most: i64) -> DbResult<Vec<CustomerRow>> {
    sql_built(format!(
        "SELECT {CUSTOMER}
           FROM provider_customers
          WHERE run_id = $1
            AND n > $2
            AND fate IN ('new', 'joins')
          ORDER BY n
          LIMIT $3"
    ))
    .bind(run_id)
    .bind(after)
    .bind(most)
    .all(conn)
    .await
}

/// The customers of a run with one fate, behind a place in it.
pub async fn customers(
    conn: &mut Conn,
    run_id: i64,
    fate: CustomerFate,
    after: i64,
    most: i64,
) -> DbResult<Vec<CustomerRow>> {
    sql_built(format!(
        "SELECT {CUSTOMER}
           FROM provider_customers
          WHERE run_id = $1
            AND fate = $2
            AND n > $3
          ORDER BY n
          LIMIT $4"
    ))
    .bind(run_id)
    .bind(fate)
    .bind(after)
    .bind(most)
    .all(conn)
    .await
}

/// Notes what became of customers.
pub async fn mark_customers(tx: &mut Tx, run_id: i64, customers: &[CustomerRow]) -> DbResult<()> {
    sql("UPDATE provider_customers
            SET fate = r.fate, referrer_id = r.referrer_id
           FROM rows($1, run BIGINT, n BIGINT, fate TEXT, referrer_id BIGINT) r
          WHERE provider_customers.run_id = r.run
            AND provider_customers.n = r.n")
    .bind(rows!(customers, c => { run: run_id, n: c.n, fate: c.fate, referrer_id: c.referrer_id }))
    .execute(tx)
    .await?;
    Ok(())
}

/// A dry run that nobody confirmed is thrown away after this time; the rows of others go with it.
#[derive(Debug, Clone, Copy)]
pub struct Tidy {
    pub unconfirmed_before: Instant,
    pub finished_before: Instant,
    pub most: i64,
}

/// Removes what runs fetched that are long over; answers how much.
pub async fn tidy(tx: &mut Tx, tidy: &Tidy) -> DbResult<u64> {
    sql("UPDATE provider_runs
            SET state = 'discarded', again_at = NULL
          WHERE state IN ('checked', 'checking')
            AND asks = true
            AND updated_at < $1")
    .bind(tidy.unconfirmed_before)
    .execute(tx)
    .await?;
    let over: Option<(i64,)> = sql("SELECT r.id
           FROM provider_runs r
          WHERE (r.state = 'discarded' OR (r.state = 'done' AND r.updated_at < $1))
            AND r.state IN ('discarded', 'done')
            AND (EXISTS (SELECT 1
                           FROM provider_customers c
                          WHERE c.run_id = r.id)
                 OR EXISTS (SELECT 1
                              FROM provider_staged s
                             WHERE s.run_id = r.id))
          ORDER BY r.id
          LIMIT 1")
    .bind(tidy.finished_before)
    .optional(tx)
    .await?;
    let Some((id,)) = over else { return Ok(0) };
    let staged = super::staged::next(tx, id, tidy.most).await?;
    if !staged.is_empty() {
        let identities: Vec<String> = staged.into_iter().map(|one| one.identity).collect();
        super::staged::unstage(tx, id, &identities).await?;
        return Ok(u64::try_from(identities.len()).unwrap_or_default());
    }
    sql("DELETE FROM provider_customers
          WHERE run_id = $1
            AND n IN (SELECT n
                        FROM provider_customers
                       WHERE run_id = $1
                       ORDER BY n
                       LIMIT $2)")
    .bind(id)
    .bind(tidy.most)
    .execute(tx)
    .await
}
