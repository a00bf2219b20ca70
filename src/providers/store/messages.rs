use crate::db::{Conn, DbResult, Listing, Order, PAGE, Tx, sql};
use crate::query::ListQuery;
use crate::text::like_pattern;
use crate::{row, rows, words};

words! {
    /// The state of a message.
    pub enum State {
        /// To be applied.
        New = "new",
        Done = "done",
        /// For a message that says more.
        Waiting = "waiting",
        /// It says nothing that counts here.
        Ignored = "ignored",
        /// A person has to look.
        Failed = "failed",
    }
}

words! {
    /// What an id is to a message.
    pub enum Role {
        /// The message is about the payment with this id.
        Names = "names",
        /// The message says what the id is.
        Explains = "explains",
        /// The message needs another one that explains the id.
        Awaits = "awaits",
    }
}

/// A message about to be stored.
#[derive(Debug, Clone)]
pub struct NewMessage {
    pub business_id: i64,
    pub account_id: i64,
    pub identity: String,
    pub kind: String,
    pub happened_at: i64,
    pub body: String,
    pub state: State,
    pub outcome: String,
    pub mentions: Vec<(Role, String)>,
}

/// Stores a message; false for one that is stored already.
pub async fn insert(tx: &mut Tx, new: &NewMessage) -> DbResult<bool> {
    let (id, now) = (tx.id()?, tx.now());
    let stored = sql("INSERT INTO provider_messages
                (id, business_id, account_id, identity, kind, happened_at, received_at, body, state, outcome, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $7)
             ON CONFLICT (account_id, identity) DO NOTHING")
    .bind(id)
    .bind(new.business_id)
    .bind(new.account_id)
    .bind(&new.identity)
    .bind(&new.kind)
    .bind(new.happened_at)
    .bind(now)
    .bind(&new.body)
    .bind(new.state)
    .bind(&new.outcome)
    .execute(tx)
    .await?;
    if stored == 1 {
        mention(tx, new.account_id, id, &new.mentions).await?;
    }
    Ok(stored == 1)
}

/// Notes the ids of a message.
pub async fn mention(tx: &mut Tx, account_id: i64, message_id: i64, mentions: &[(Role, String)]) -> DbResult<()> {
    if mentions.is_empty() {
        return Ok(());
    }
    sql("INSERT INTO provider_mentions (account_id, text, role, message_id)
         SELECT $2, r.text, r.role, $3
           FROM rows($1, text TEXT, role TEXT) r
          WHERE true
             ON CONFLICT (account_id, text, role, message_id) DO NOTHING")
    .bind(rows!(mentions, (role, text) => { text: text.as_str(), role: role.word() }))
    .bind(account_id)
    .bind(message_id)
    .execute(tx)
    .await?;
    Ok(())
}

row! {
    /// A message.
    #[derive(Debug, Clone)]
    pub struct MessageRow {
        pub id: i64,
        pub business_id: i64,
        pub account_id: i64,
        pub identity: String,
        pub kind: String,
        pub happened_at: i64,
        pub received_at: i64,
        pub body: String,
        pub state: State,
        pub outcome: String,
        pub applied_at: Option<i64>,
        pub payment_id: Option<i64>,
        pub lead_id: Option<i64>,
        pub code_id: Option<i64>,
    }
}

/// Messages to be applied: some of the oldest, in the order in which they happened.
pub async fn new(conn: &mut Conn, most: i64) -> DbResult<Vec<MessageRow>> {
    sql("SELECT m.id, m.business_id, m.account_id, m.identity, m.kind, m.happened_at, m.received_at, m.body, m.state,
                m.outcome, m.applied_at, m.payment_id, m.lead_id, m.code_id
           FROM (SELECT *
                   FROM provider_messages
                  WHERE state = 'new'
                  ORDER BY id
                  LIMIT $1) m
          ORDER BY m.happened_at, m.id")
    .bind(most)
    .all(conn)
    .await
}

pub async fn any_new(conn: &mut Conn) -> DbResult<bool> {
    sql("SELECT EXISTS (SELECT 1
                          FROM provider_messages
                         WHERE state = 'new')")
    .scalar(conn)
    .await
}

/// The messages of an account that have one of these ids in this role, the oldest first.
pub async fn mentioning(
    conn: &mut Conn,
    account_id: i64,
    role: Role,
    texts: &[String],
    most: i64,
) -> DbResult<Vec<MessageRow>> {
    sql("SELECT m.id, m.business_id, m.account_id, m.identity, m.kind, m.happened_at, m.received_at, m.body, m.state,
                m.outcome, m.applied_at, m.payment_id, m.lead_id, m.code_id
           FROM provider_messages m
          WHERE m.id IN (SELECT n.message_id
                           FROM provider_mentions n
                          WHERE n.account_id = $2
                            AND n.text IN rows($1, text TEXT)
                            AND n.role = $3)
          ORDER BY m.id
          LIMIT $4")
    .bind(rows!(texts, text => { text: text.as_str() }))
    .bind(account_id)
    .bind(role)
    .bind(most)
    .all(conn)
    .await
}

/// What became of some messages.
#[derive(Debug, Clone)]
pub struct Fate {
    pub ids: Vec<i64>,
    pub state: State,
    pub outcome: String,
    pub payment_id: Option<i64>,
    pub lead_id: Option<i64>,
    /// The look-up form of the code that they say was used; empty for none.
    pub code: String,
}

/// Stores the fate of messages. One that was applied and says nothing new keeps what it came to. The use of a code is
/// the use of one by its payment, also where another message told of the payment.
pub async fn settle(tx: &mut Tx, fate: &Fate) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE provider_messages
            SET state = $2,
                outcome = CASE WHEN $3 <> '' THEN $3
                               WHEN payment_id IS NOT NULL THEN outcome
                               ELSE 'Everything that it says was known.'
                          END,
                payment_id = COALESCE($4, payment_id,
                                      CASE WHEN $7 <> ''
                                           THEN (SELECT min(y.payment_id)
                                                   FROM provider_mentions n
                                                   JOIN payment_names y ON y.business_id = provider_messages.business_id
                                                                       AND y.test IN (false, true)
                                                                       AND y.name = n.text
                                                  WHERE n.message_id = provider_messages.id
                                                    AND n.role = 'names')
                                       END),
                lead_id = COALESCE($5, lead_id),
                code_id = COALESCE((SELECT c.id
                                      FROM codes c
                                     WHERE c.business_id = provider_messages.business_id
                                       AND c.lookup = $7), code_id),
                applied_at = $6, updated_at = $6
          WHERE id IN rows($1, id BIGINT)")
    .bind(rows!(&fate.ids, id => { id: *id }))
    .bind(fate.state)
    .bind(&fate.outcome)
    .bind(fate.payment_id)
    .bind(fate.lead_id)
    .bind(now)
    .bind(&fate.code)
    .execute(tx)
    .await?;
    Ok(())
}

/// Lets messages be applied again that wait for one of these ids.
pub async fn wake(tx: &mut Tx, account_id: i64, texts: &[String]) -> DbResult<u64> {
    if texts.is_empty() {
        return Ok(0);
    }
    let woken = sql("UPDATE provider_messages
            SET state = 'new'
          WHERE state <> 'new'
            AND id IN (SELECT n.message_id
                         FROM provider_mentions n
                        WHERE n.account_id = $2
                          AND n.text IN rows($1, text TEXT)
                          AND n.role = 'awaits')")
    .bind(rows!(texts, text => { text: text.as_str() }))
    .bind(account_id)
    .execute(tx)
    .await?;
    if woken > 0 {
        sql("DELETE FROM provider_mentions
              WHERE account_id = $2
                AND role = 'awaits'
                AND text IN rows($1, text TEXT)")
        .bind(rows!(texts, text => { text: text.as_str() }))
        .bind(account_id)
        .execute(tx)
        .await?;
    }
    Ok(woken)
}

/// Lets some messages that wait be looked at again, the longest not applied first, of those received since a moment.
pub async fn wake_waiting(tx: &mut Tx, &(since, most): &(i64, i64)) -> DbResult<u64> {
    sql("UPDATE provider_messages
            SET state = 'new'
          WHERE id IN (SELECT id
                         FROM provider_messages
                        WHERE state = 'waiting'
                          AND received_at >= $1
                        ORDER BY applied_at, id
                        LIMIT $2)")
    .bind(since)
    .bind(most)
    .execute(tx)
    .await
}

/// Leaves messages to a person that have waited since before a moment for somebody to say whose a customer is.
pub async fn give_up_waiting(tx: &mut Tx, before: &i64) -> DbResult<u64> {
    sql("UPDATE provider_messages
            SET state = 'failed',
                outcome = 'For a day nothing said whose e-mail address this customer has. Tell the payment by a call or an upload.'
          WHERE state = 'waiting'
            AND received_at < $1
            AND EXISTS (SELECT 1
                          FROM provider_mentions n
                         WHERE n.message_id = provider_messages.id
                           AND n.role = 'awaits'
                           AND n.text NOT LIKE 'lead:%')")
    .bind(*before)
    .execute(tx)
    .await
}

/// Lets one message be applied again; false when it is not there or is to be applied anyway.
pub async fn renew(tx: &mut Tx, business_id: i64, id: i64) -> DbResult<bool> {
    let renewed = sql("UPDATE provider_messages
            SET state = 'new'
          WHERE id = $1
            AND business_id = $2
            AND state <> 'new'")
    .bind(id)
    .bind(business_id)
    .execute(tx)
    .await?;
    Ok(renewed == 1)
}

/// A person looked at a message and needs nothing more of it; false for one that needs no look.
pub async fn dismiss(tx: &mut Tx, (business_id, id, outcome): &(i64, i64, String)) -> DbResult<bool> {
    let now = tx.now();
    let dismissed = sql("UPDATE provider_messages
            SET state = 'ignored', outcome = $3, updated_at = $4
          WHERE id = $1
            AND business_id = $2
            AND state = 'failed'")
    .bind(*id)
    .bind(*business_id)
    .bind(outcome)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(dismissed == 1)
}

pub async fn find(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<MessageRow>> {
    sql("SELECT id, business_id, account_id, identity, kind, happened_at, received_at, body, state, outcome, applied_at,
                payment_id, lead_id, code_id
           FROM provider_messages
          WHERE id = $1
            AND business_id = $2")
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}

row! {
    /// A message as the list shows it.
    #[derive(Debug, Clone)]
    pub struct MessageLine {
        pub id: i64,
        pub account_id: i64,
        pub kind: String,
        pub happened_at: i64,
        pub received_at: i64,
        pub state: State,
        pub outcome: String,
    }
}

/// The names that the list knows in its address.
pub const KNOWN: [&str; 6] = ["account", "state", "code", "q", "after", "before"];

/// One page of a business's messages, the newest first.
pub async fn list(conn: &mut Conn, business_id: i64, query: &ListQuery) -> DbResult<(Vec<MessageLine>, bool)> {
    let mut listing = Listing::new(
        "m.id, m.account_id, m.kind, m.happened_at, m.received_at, m.state, m.outcome",
        "provider_messages",
        "m",
        "",
        Order::number("id", true),
    )
    .and("m.business_id = ?", business_id);
    if let Ok(account) = query.get("account").parse::<i64>() {
        listing = listing.search("m.account_id = ?", account);
    }
    if let Ok(code) = query.get("code").parse::<i64>() {
        listing = listing.and("m.code_id = ?", code);
    }
    if let Some(state) = State::parse(query.get("state")) {
        listing = listing.search("m.state = ?", state.word());
    }
    if !query.get("q").is_empty() {
        listing = listing.search("m.kind LIKE ? ESCAPE '\\'", like_pattern(&query.get("q").to_lowercase()));
    }
    listing = listing.turned(query);
    let searched = listing.is_searched();
    Ok((listing.build(PAGE + 1).all(conn).await?, searched))
}

row! {
    /// The last message of an account, how many wait for a person, and why its daily sync does not go on.
    #[derive(Debug, Clone)]
    pub struct Pulse {
        pub account_id: i64,
        pub last_at: Option<i64>,
        pub failed: i64,
        pub sync_stopped: Option<String>,
    }
}

/// The state of the accounts of a business.
pub async fn pulses(conn: &mut Conn, business_id: i64) -> DbResult<Vec<Pulse>> {
    sql("SELECT a.id AS account_id,
                (SELECT m.received_at
                   FROM provider_messages m
                  WHERE m.account_id = a.id
                  ORDER BY m.id DESC
                  LIMIT 1) AS last_at,
                (SELECT count(*)
                   FROM provider_messages f
                  WHERE f.business_id = a.business_id
                    AND f.state = 'failed'
                    AND f.account_id = a.id) AS failed,
                (SELECT max(r.stopped)
                   FROM provider_runs r
                  WHERE r.state IN ('checking', 'running')
                    AND r.account_id = a.id
                    AND r.daily = true
                    AND r.again_at IS NULL) AS sync_stopped
           FROM provider_accounts a
          WHERE a.business_id = $1
          ORDER BY a.id")
    .bind(business_id)
    .all(conn)
    .await
}

/// Messages of a business that a person has to look at, and the accounts whose messages are turned away, whose key does
/// not work, or whose daily sync stopped.
pub async fn troubles(conn: &mut Conn, business_id: i64) -> DbResult<(i64, i64)> {
    let found: (i64, i64) = sql("SELECT (SELECT count(*)
                   FROM provider_messages
                  WHERE business_id = $1
                    AND state = 'failed'),
                (SELECT count(*)
                   FROM provider_accounts a
                  WHERE a.business_id = $1
                    AND a.disconnected_at IS NULL
                    AND (a.trouble IS NOT NULL
                         OR EXISTS (SELECT 1
                                      FROM provider_runs r
                                     WHERE r.state IN ('checking', 'running')
                                       AND r.account_id = a.id
                                       AND r.daily = true
                                       AND r.stopped IS NOT NULL
                                       AND r.again_at IS NULL)
                         OR a.refused_at > COALESCE((SELECT m.received_at
                                                       FROM provider_messages m
                                                      WHERE m.account_id = a.id
                                                      ORDER BY m.id DESC
                                                      LIMIT 1), 0)))")
    .bind(business_id)
    .one(conn)
    .await?;
    Ok(found)
}
