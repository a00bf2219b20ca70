//! A past period: what Stripe has of it is fetched list by list and staged, each object as the event that would have
//! brought it. A look ahead says what it would come to, person by person; then the staged objects are stored as
//! messages, the oldest first, and applied as every other message is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::run::{Step, end};
use crate::audit::{self, NewEntry};
use crate::clock::Instant;
use crate::core::Core;
use crate::db::{Conn, DbResult, Key, Terms, Tx};
use crate::email::Email;
use crate::engine::SLICE;
use crate::jobs::{Claimed, Progress};
use crate::providers::accounts::Account;
use crate::providers::apply::foresee::{Foreseen, Foresight, Unstored};
use crate::providers::apply::group::{code, customer};
use crate::providers::message;
use crate::providers::provider::Provider;
use crate::providers::read::{at, seconds, text};
use crate::providers::receive::message_of;
use crate::providers::store::asked::{self, Open};
use crate::providers::store::messages::{self, NewMessage};
use crate::providers::store::runs::{Come, RunRow, RunState};
use crate::providers::store::staged::{self as store, Staged};
use crate::providers::stripe::ask;
use crate::providers::stripe::client::{ApiError, Client, Form};
use crate::providers::stripe::lists::{self, Place};
use crate::providers::told::{Fact, Told};

/// Messages of one transaction.
const AT_ONCE: i64 = 100;
/// New messages of an account that may wait while more are stored: those that come meanwhile do not queue for long.
const BACKLOG: i64 = 1_000;
/// The pause before it is looked again whether they are applied.
const PAUSE: Duration = Duration::from_millis(300);
/// People that one look takes.
const PEOPLE: i64 = 25;

/// A list of Stripe's: its path, what is asked of it, and how many days before the period its objects may be made: an
/// invoice is paid after it was written.
struct List {
    path: &'static str,
    query: &'static [(&'static str, &'static str)],
    days_before: i64,
}

/// Payments come before what was given back of them.
const LISTS: [List; 4] = [
    List {
        path: "/v1/checkout/sessions",
        query: &[
            ("status", "complete"),
            ("expand[0]", "data.invoice"),
            ("expand[1]", "data.payment_intent.latest_charge"),
        ],
        days_before: 1,
    },
    List {
        path: "/v1/invoices",
        query: &[("status", "paid"), ("expand[0]", "data.discounts"), ("expand[1]", "data.payments")],
        days_before: 31,
    },
    List { path: "/v1/refunds", query: &[], days_before: 0 },
    List { path: "/v1/disputes", query: &[], days_before: 0 },
];

/// Counts of what a run of a past period found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Objects that Stripe listed, and those that are staged.
    pub read: i64,
    pub staged: i64,
    /// Staged ones that the look ahead has tried.
    pub looked_at: i64,
    /// Stored by an earlier import.
    pub earlier: i64,
    /// Paid before the period, or not paid.
    pub outside: i64,
    /// Refunds and disputes of payments that are not known.
    pub of_others: i64,
    pub foreseen: Foreseen,
    pub stored: i64,
}

impl Counts {
    pub fn of(run: &RunRow) -> Self {
        serde_json::from_str(&run.counts).unwrap_or_default()
    }
}

/// The place from which a run goes on: in one of the lists, or behind a person.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Stand {
    list: usize,
    place: Place,
    person: String,
}

impl Stand {
    fn of(run: &RunRow) -> Self {
        serde_json::from_str(&run.cursor).unwrap_or_default()
    }
}

/// One step of the dry run.
pub async fn check(
    core: &Core,
    job: &Arc<Claimed>,
    run: &RunRow,
    account: &Account,
    client: &Client,
) -> DbResult<Result<Progress, ApiError>> {
    let stand = Stand::of(run);
    match LISTS.get(stand.list) {
        Some(list) => Box::pin(fetch(core, job, run, (account, client), (stand, list))).await,
        None => Box::pin(look(core, job, run, account, stand)).await.map(Ok),
    }
}

/// Stages a page of a list.
async fn fetch(
    core: &Core,
    job: &Arc<Claimed>,
    run: &RunRow,
    (account, client): (&Account, &Client),
    (mut stand, list): (Stand, &List),
) -> DbResult<Result<Progress, ApiError>> {
    let since = Instant::from_micros(run.since.unwrap_or_default());
    let mut query: Form = list.query.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    query.push(("created[gte]".into(), since.plus_days(-list.days_before).seconds().to_string()));
    let listed = match lists::page(client, list.path, &query, &stand.place).await {
        Ok(listed) => listed,
        Err(error) => return Ok(Err(error)),
    };
    let mut counts = Counts::of(run);
    counts.read += i64::try_from(listed.objects.len()).unwrap_or_default();
    let objects = listed.objects.len();
    let events: Vec<Event> =
        listed.objects.into_iter().filter_map(|object| Event::of(object, account.row.test, since)).collect();
    counts.outside += i64::try_from(objects - events.len()).unwrap_or_default();
    if let Err(error) = explain(core, account, client, &events).await? {
        return Ok(Err(error));
    }
    let mut conn = core.db.read().await?;
    let ids: Vec<&str> = events.iter().map(|event| event.identity.as_str()).collect();
    let earlier = store::stored(&mut conn, account.row.id, &ids).await?;
    let mut staged = Vec::new();
    for event in events {
        if earlier.contains(&event.identity) {
            counts.earlier += 1;
            continue;
        }
        match staged_of(&mut conn, run, account, event).await? {
            Some(one) => staged.push(one),
            None => counts.of_others += 1,
        }
    }
    drop(conn);
    match listed.next {
        Some(next) => stand.place = next,
        None => stand = Stand { list: stand.list + 1, ..Stand::default() },
    }
    let step = Step::new(job, Come { cursor: json!(stand).to_string(), ..Come::of(run) });
    core.db.write(vec![Key::Row(run.account_id)], (step, counts, staged), stage).await.map(Ok)
}

async fn stage(tx: &mut Tx, (step, counts, staged): &(Step, Counts, Vec<Staged>)) -> DbResult<Progress> {
    let Some(come) = &step.come else { return end(tx, step).await };
    let new = store::stage(tx, come.id, staged).await?;
    let counts = Counts { staged: counts.staged + i64::try_from(new).unwrap_or_default(), ..counts.clone() };
    let mut step = Step::new(&step.job, Come { counts: json!(counts).to_string(), ..come.clone() });
    step.progress.done = counts.staged;
    end(tx, &step).await
}

/// An object as the event that would have brought it.
struct Event {
    identity: String,
    happened_at: i64,
    body: String,
    told: Told,
    is_payment: bool,
}

impl Event {
    /// `None` for a payment before the period, and for one that was not paid.
    fn of(mut object: Json, test: bool, since: Instant) -> Option<Self> {
        let id = text(&object, "id")?;
        let made = seconds(&object, "created")?;
        let mut is_payment = false;
        let mut identity = format!("had:{id}");
        let (kind, happened_at) = match text(&object, "object")?.as_str() {
            "checkout.session" => {
                let paid_at = seconds(&object, "invoice.status_transitions.paid_at");
                let paid_at = paid_at.or(seconds(&object, "payment_intent.latest_charge.created")).unwrap_or(made);
                is_payment = true;
                if text(&object, "payment_status").as_deref() == Some("unpaid") {
                    return None;
                }
                flatten(&mut object, "invoice");
                flatten(&mut object, "payment_intent");
                ("checkout.session.completed", paid_at)
            }
            "invoice" => {
                is_payment = true;
                // Discounts without a code explain nothing, and would be asked for.
                if let Some(Json::Array(discounts)) = object.get_mut("discounts") {
                    discounts.retain(|one| one.is_string() || at(one, "promotion_code").is_some());
                }
                ("invoice.paid", seconds(&object, "status_transitions.paid_at").unwrap_or(made))
            }
            // The state of a refund may change, and is another message then.
            "refund" => {
                identity = format!("{identity}:{}", text(&object, "status").unwrap_or_default());
                ("refund.updated", made)
            }
            "dispute" => {
                let status = text(&object, "status").unwrap_or_default();
                identity = format!("{identity}:{status}");
                let is_over = matches!(status.as_str(), "won" | "lost" | "prevented" | "warning_closed");
                (if is_over { "charge.dispute.closed" } else { "charge.dispute.updated" }, made)
            }
            _ => return None,
        };
        if happened_at < since {
            return None;
        }
        let event = json!({
            "id": identity, "object": "event", "type": kind, "created": happened_at.seconds(), "livemode": !test,
            "data": { "object": object },
        });
        let told = message::read(Provider::Stripe, &event, happened_at).unwrap_or_default();
        Some(Self { identity, happened_at: happened_at.micros(), body: event.to_string(), told, is_payment })
    }
}

/// The id alone in the place of an object that was given whole.
fn flatten(object: &mut Json, name: &str) {
    let id = object.get(name).filter(|whole| whole.is_object()).and_then(|whole| text(whole, "id"));
    if let (Some(id), Some(place)) = (id, object.get_mut(name)) {
        *place = Json::String(id);
    }
}

/// Asks Stripe for the codes and addresses behind ids that nothing explains yet; the answers are kept as messages.
async fn explain(core: &Core, account: &Account, client: &Client, events: &[Event]) -> DbResult<Result<(), ApiError>> {
    let mut unknown: BTreeSet<String> = BTreeSet::new();
    let mut conn = core.db.read().await?;
    for fact in events.iter().flat_map(|event| &event.told.facts) {
        let (who, hints) = match fact {
            Fact::Paid(paid) => (&paid.who, &paid.hints),
            Fact::Used(used) => (&used.who, &used.hints),
            _ => continue,
        };
        if let (Some(id), None) = (&who.customer, &who.email)
            && customer(&mut conn, Provider::Stripe, account.row.id, id).await?.is_none()
        {
            unknown.insert(id.clone());
        }
        for hint in hints {
            unknown.extend(code(&mut conn, Provider::Stripe, account.row.id, hint).await?.err());
        }
    }
    let mut open = Vec::new();
    for text in unknown.into_iter().filter(|id| !id.is_empty()) {
        if !asked::is_asked(&mut conn, account.row.id, &text).await? {
            open.push(Open { text, names: None });
        }
    }
    drop(conn);
    for question in open {
        let pause = lists::pause();
        match ask::answer(client, &question).await {
            Ok(answers) => ask::keep(core, account, &question, &answers).await?,
            Err(ApiError::Refused { .. }) => ask::keep(core, account, &question, &[]).await?,
            Err(error) => return Ok(Err(error)),
        }
        pause.await;
    }
    Ok(Ok(()))
}

/// The event with whose it is; `None` for a refund of a payment that nobody knows.
async fn staged_of(conn: &mut Conn, run: &RunRow, account: &Account, event: Event) -> DbResult<Option<Staged>> {
    let names: Vec<String> = event.told.names.iter().map(ToString::to_string).collect();
    let person = if event.is_payment {
        person(conn, account, &event).await?
    } else if store::is_staged(conn, run.id, &names).await? {
        // The payment's person is looked at with all that names it.
        String::new()
    } else if store::is_known(conn, (account.row.business_id, account.row.id, account.row.test), &names).await? {
        format!("id:{}", event.identity)
    } else {
        return Ok(None);
    };
    let Event { identity, happened_at, body, .. } = event;
    Ok(Some(Staged { identity, happened_at, body, person, names }))
}

/// The person who paid: by the address, else by what there is.
async fn person(conn: &mut Conn, account: &Account, event: &Event) -> DbResult<String> {
    let paid = event.told.facts.iter().find_map(|fact| match fact {
        Fact::Paid(paid) => Some(&paid.who),
        _ => None,
    });
    let Some(who) = paid else { return Ok(format!("id:{}", event.identity)) };
    let mut email = who.email.clone();
    if let (None, Some(id)) = (&email, &who.customer) {
        email = customer(conn, Provider::Stripe, account.row.id, id).await?.map(|(email, _)| email);
    }
    let key = email.and_then(|email| Email::parse(&email).ok()).map(|email| email.key().to_owned());
    Ok(key.or(who.customer.clone()).unwrap_or_else(|| format!("id:{}", event.identity)))
}

/// Tries what some people's payments would come to.
async fn look(
    core: &Core,
    job: &Arc<Claimed>,
    run: &RunRow,
    account: &Account,
    mut stand: Stand,
) -> DbResult<Progress> {
    let mut conn = core.db.read().await?;
    let people = store::people(&mut conn, run.id, &stand.person, PEOPLE).await?;
    drop(conn);
    let mut counts = Counts::of(run);
    let is_end = people.is_empty();
    let mut foresight = Foresight::new(core, account).await?;
    for person in people {
        let mut conn = core.db.read().await?;
        let staged = of_person(&mut conn, run.id, &person).await?;
        drop(conn);
        counts.looked_at += i64::try_from(staged.len()).unwrap_or_default();
        Box::pin(foresight.take(staged)).await?;
        stand.person = person;
        if foresight.events() >= SLICE {
            break;
        }
    }
    Box::pin(foresight.add_up(&mut counts.foreseen)).await?;
    let state = if is_end { RunState::Checked } else { RunState::Checking };
    let come = Come { state, cursor: json!(stand).to_string(), counts: json!(counts).to_string(), ..Come::of(run) };
    let mut step = Step::new(job, come);
    step.progress.total = counts.staged;
    step.progress.done = counts.looked_at;
    core.db.write(vec![Key::Row(run.account_id)], step, end).await
}

/// All that is staged of a person's payments. Of two people about one payment, it is the first one's.
async fn of_person(conn: &mut Conn, run_id: i64, person: &str) -> DbResult<Vec<Unstored>> {
    let mut staged = store::of_person(conn, run_id, person).await?;
    let mut named: BTreeSet<String> = BTreeSet::new();
    // From a session to its invoice, and from that to a refund.
    for _ in 0..4 {
        let ids: Vec<&str> = staged.iter().map(|one| one.identity.as_str()).filter(|id| !named.contains(*id)).collect();
        if ids.is_empty() {
            break;
        }
        let more = store::beside(conn, run_id, &ids).await?;
        named.extend(staged.iter().map(|one| one.identity.clone()));
        staged.extend(more.into_iter().filter(|one| !named.contains(&one.identity)));
    }
    let is_before = |one: &Staged| !one.person.is_empty() && one.person.as_str() < person;
    let others: Vec<&str> = staged.iter().filter(|one| is_before(one)).map(|one| one.identity.as_str()).collect();
    // Objects about another's payment were looked at with that person.
    let theirs: BTreeSet<String> = if others.is_empty() {
        BTreeSet::new()
    } else {
        store::beside(conn, run_id, &others).await?.into_iter().map(|one| one.identity).collect()
    };
    Ok(staged.into_iter().filter(|one| !theirs.contains(&one.identity)).map(Staged::unstored).collect())
}

impl Staged {
    fn unstored(self) -> Unstored {
        Unstored { identity: self.identity, happened_at: self.happened_at, body: self.body }
    }
}

/// Stores some of what is staged as messages, the oldest first.
pub async fn apply(core: &Core, job: &Arc<Claimed>, run: &RunRow, account: &Account) -> DbResult<Progress> {
    let mut conn = core.db.read().await?;
    if store::backlog(&mut conn, account.row.id, BACKLOG).await? >= BACKLOG {
        drop(conn);
        tokio::time::sleep(PAUSE).await;
        return Ok(job.progress());
    }
    let staged = store::next(&mut conn, run.id, AT_ONCE).await?;
    drop(conn);
    let mut new = Vec::with_capacity(staged.len());
    for one in &staged {
        match message_of(core, account, &one.body) {
            Ok(message) => new.push(message),
            Err(why) => {
                tracing::warn!(run = run.id, identity = one.identity, why, "an object of Stripe's cannot be read")
            }
        }
    }
    let ids: Vec<String> = staged.into_iter().map(|one| one.identity).collect();
    let terms = Terms::of(vec![Key::Row(run.account_id)]).by(&job.actor).ids(new.len() + 1);
    core.db.write_on(terms, (Step::new(job, Come::of(run)), run.clone(), ids, new), keep).await
}

async fn keep(tx: &mut Tx, (step, run, ids, new): &(Step, RunRow, Vec<String>, Vec<NewMessage>)) -> DbResult<Progress> {
    let mut counts = Counts::of(run);
    let mut step = Step::new(&step.job, Come::of(run));
    for message in new {
        counts.stored += i64::from(messages::insert(tx, message).await?);
    }
    store::unstage(tx, run.id, ids).await?;
    let mut come = Come { counts: json!(counts).to_string(), ..Come::of(run) };
    step.progress.total = counts.staged;
    step.progress.done = counts.stored;
    if ids.is_empty() {
        come.state = RunState::Done;
        step.progress.finished = true;
        let entry = NewEntry::by(tx, run.business_id, "provider.imported", ("campaign", run.campaign_id))?
            .after(json!({ "since": Instant::from_micros(run.since.unwrap_or_default()).date_utc().to_string(), "messages": counts.stored }));
        audit::write(tx, &[entry]).await?;
    }
    step.come = Some(come);
    end(tx, &step).await
}
