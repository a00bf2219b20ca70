//! Customers as referrers: what would become of each is noted as the pages come, and then they are added by the
//! function that uploads use.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::run::{Step, end};
use crate::audit::{self, NewEntry};
use crate::business;
use crate::clock::Instant;
use crate::core::Core;
use crate::db::{DbResult, Key, Terms, Tx};
use crate::email::Email;
use crate::jobs::{Claimed, Progress};
use crate::meta::Marks;
use crate::phone::Phone;
use crate::providers::accounts::Account;
use crate::providers::read::{is_true, text};
use crate::providers::store::runs::{self as store, Come, CustomerFate as Fate, CustomerRow, RunRow, RunState};
use crate::providers::stripe::client::{ApiError, Client, Form};
use crate::providers::stripe::lists::{self, Place};
use crate::referrers::{self, AddReferrer, Became, NewReferrer};

/// Customers of one transaction: few enough that other writes hardly wait.
const AT_ONCE: usize = 50;

/// The customers of a run by what becomes of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    pub read: i64,
    pub new: i64,
    pub joins: i64,
    pub known: i64,
    pub same: i64,
    pub no_email: i64,
    pub invalid: i64,
}

impl Counts {
    pub fn of(run: &RunRow) -> Self {
        serde_json::from_str(&run.counts).unwrap_or_default()
    }

    pub fn get(&self, fate: Fate) -> i64 {
        match fate {
            Fate::New => self.new,
            Fate::Joins => self.joins,
            Fate::Known => self.known,
            Fate::Same => self.same,
            Fate::NoEmail => self.no_email,
            Fate::Invalid => self.invalid,
        }
    }

    fn add(&mut self, fate: Fate, n: i64) {
        *match fate {
            Fate::New => &mut self.new,
            Fate::Joins => &mut self.joins,
            Fate::Known => &mut self.known,
            Fate::Same => &mut self.same,
            Fate::NoEmail => &mut self.no_email,
            Fate::Invalid => &mut self.invalid,
        } += n;
    }

    fn stored(&self) -> String {
        json!(self).to_string()
    }

    /// Those who become referrers of the campaign.
    pub fn to_add(&self) -> i64 {
        self.new + self.joins
    }
}

/// The place from which a run goes on: in Stripe's list, or in its own.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct At {
    place: Place,
    n: i64,
}

impl At {
    fn of(run: &RunRow) -> Self {
        serde_json::from_str(&run.cursor).unwrap_or_default()
    }

    fn stored(&self) -> String {
        json!(self).to_string()
    }
}

/// Fetches a page and notes what would become of each customer.
pub async fn fetch(
    core: &Core,
    job: &Arc<Claimed>,
    run: &RunRow,
    account: &Account,
    client: &Client,
) -> DbResult<Result<Progress, ApiError>> {
    let mut at = At::of(run);
    let since = run.since.map(|since| ("created[gte]".to_owned(), Instant::from_micros(since).seconds().to_string()));
    let query: Form = since.into_iter().collect();
    let listed = match lists::page(client, "/v1/customers", &query, &at.place).await {
        Ok(listed) => listed,
        Err(error) => return Ok(Err(error)),
    };
    let mut conn = core.db.read().await?;
    let business = business::by_id(&mut conn, account.row.business_id).await?;
    let country = business.map(|business| business.country).unwrap_or_default();
    let mut rows: Vec<CustomerRow> =
        listed.objects.iter().filter(|one| !is_true(one, "deleted")).filter_map(|one| read(one, &country)).collect();
    let (ids, keys): (Vec<&str>, Vec<&str>) =
        rows.iter().map(|row| (row.customer.as_str(), row.email_key.as_str())).unzip();
    let keys: Vec<&str> = keys.into_iter().filter(|key| !key.is_empty()).collect();
    let earlier = store::earlier_customers(&mut conn, run.id, &ids, &keys).await?;
    let mut by_email: BTreeMap<String, String> = BTreeMap::new();
    let mut seen: HashSet<String> = HashSet::new();
    for (customer, key) in earlier {
        by_email.insert(key, customer.clone());
        seen.insert(customer);
    }
    rows.retain(|row| seen.insert(row.customer.clone()));
    for row in rows.iter_mut().filter(|row| row.fate == Fate::New) {
        match by_email.get(&row.email_key) {
            Some(first) => {
                row.fate = Fate::Same;
                row.why = format!("The same e-mail address as {first}.");
            }
            None => {
                by_email.insert(row.email_key.clone(), row.customer.clone());
            }
        }
    }
    let would: Vec<&mut CustomerRow> = rows.iter_mut().filter(|row| row.fate == Fate::New).collect();
    let new: Vec<NewReferrer> = would.iter().filter_map(|row| referrer(run, row, &country)).collect();
    let became = referrers::preview(&mut conn, &new).await?;
    drop(conn);
    for (row, became) in would.into_iter().zip(became) {
        take(row, &became);
        // The id of a preview is of no row.
        row.referrer_id = row.referrer_id.filter(|id| *id > 0);
    }
    let mut counts = Counts::of(run);
    for row in &mut rows {
        at.n += 1;
        row.n = at.n;
        counts.read += 1;
        counts.add(row.fate, 1);
    }
    let is_end = listed.next.is_none();
    at.place = listed.next.unwrap_or_default();
    let state = if is_end { RunState::Checked } else { RunState::Checking };
    let come = Come { state, cursor: at.stored(), counts: counts.stored(), ..Come::of(run) };
    let mut step = Step::new(job, come);
    step.progress.done = counts.read;
    step.progress.total = if is_end { counts.to_add() } else { 0 };
    core.db.write(vec![Key::Row(run.account_id)], (step, run.id, rows), keep).await.map(Ok)
}

async fn keep(tx: &mut Tx, (step, run_id, rows): &(Step, i64, Vec<CustomerRow>)) -> DbResult<Progress> {
    store::insert_customers(tx, *run_id, rows).await?;
    end(tx, step).await
}

/// A customer as Stripe tells of it; `None` without an id.
fn read(object: &Json, country: &str) -> Option<CustomerRow> {
    let customer = text(object, "id")?;
    let email = text(object, "email").unwrap_or_default();
    let parsed = Email::parse(&email);
    let (fate, why) = match &parsed {
        _ if email.is_empty() => (Fate::NoEmail, String::new()),
        Ok(_) => (Fate::New, String::new()),
        Err(why) => (Fate::Invalid, format!("The e-mail address {why}.")),
    };
    // A number that cannot be read is left out: the e-mail address says who they are.
    let phone = text(object, "phone").filter(|phone| Phone::parse(phone, country).is_ok()).unwrap_or_default();
    Some(CustomerRow {
        n: 0,
        customer,
        name: text(object, "name").unwrap_or_default(),
        email_key: parsed.map(|email| email.key().to_owned()).unwrap_or_default(),
        email,
        phone,
        fate,
        why,
        referrer_id: None,
    })
}

fn referrer(run: &RunRow, row: &CustomerRow, country: &str) -> Option<NewReferrer> {
    let email = Email::parse(&row.email).ok()?;
    let name = if row.name.is_empty() { email.text().to_owned() } else { row.name.clone() };
    Some(NewReferrer {
        add: AddReferrer {
            business_id: run.business_id,
            campaign_id: run.campaign_id,
            name,
            email: Some(email),
            phone: Phone::parse(&row.phone, country).ok(),
            company: None,
            marks: Marks {
                external_id: None,
                meta: json!([{ "field": "stripe_customer", "value": row.customer }]).to_string(),
            },
            generate: true,
        },
        own_code: None,
        leaves_known: true,
    })
}

fn take(row: &mut CustomerRow, became: &Became) {
    (row.fate, row.referrer_id) = match became {
        Became::New { referrer_id } => (Fate::New, Some(*referrer_id)),
        Became::Updated { referrer_id } => (Fate::Joins, Some(*referrer_id)),
        Became::Already { referrer_id, .. } => (Fate::Known, Some(*referrer_id)),
        Became::CodeTaken { .. } => (row.fate, None),
    };
}

/// Adds some of the customers, in a transaction with how far it has come.
pub async fn apply(core: &Core, job: &Arc<Claimed>, run: &RunRow) -> DbResult<Progress> {
    let at = At::of(run);
    let mut conn = core.db.read().await?;
    let rows = store::to_add(&mut conn, run.id, at.n, i64::try_from(AT_ONCE).unwrap_or(i64::MAX)).await?;
    let business = business::by_id(&mut conn, run.business_id).await?;
    drop(conn);
    let country = business.map(|business| business.country).unwrap_or_default();
    let (rows, new): (Vec<CustomerRow>, Vec<NewReferrer>) =
        rows.into_iter().filter_map(|row| referrer(run, &row, &country).map(|new| (row, new))).unzip();
    let keys = new.iter().map(NewReferrer::key).collect();
    let terms = Terms::of(keys).by(&job.actor).ids(new.len() * referrers::IDS_EACH + 1);
    core.db.write_on(terms, Chunk { job: job.clone(), run: run.clone(), at, rows, new }, add).await
}

struct Chunk {
    job: Arc<Claimed>,
    run: RunRow,
    at: At,
    rows: Vec<CustomerRow>,
    new: Vec<NewReferrer>,
}

async fn add(tx: &mut Tx, chunk: &Chunk) -> DbResult<Progress> {
    let Chunk { job, run, at, rows, new } = chunk;
    let mut counts = Counts::of(run);
    let mut step = Step::new(job, Come::of(run));
    let mut come = Come::of(run);
    step.progress.total = counts.to_add();
    if let Some(last) = rows.last() {
        let became = referrers::add_many(tx, new).await?;
        let mut rows = rows.clone();
        for (row, became) in rows.iter_mut().zip(&became) {
            counts.add(row.fate, -1);
            take(row, became);
            counts.add(row.fate, 1);
        }
        store::mark_customers(tx, run.id, &rows).await?;
        come.cursor = At { n: last.n, ..at.clone() }.stored();
        come.counts = counts.stored();
        step.progress.done += i64::try_from(rows.len()).unwrap_or_default();
    } else {
        come.state = RunState::Done;
        step.progress.finished = true;
        store::synced(tx, (run.account_id, run.campaign_id), run.created_at).await?;
        if counts.to_add() > 0 || !run.daily {
            let entry = NewEntry::by(tx, run.business_id, "provider.synced", ("campaign", run.campaign_id))?
                .after(json!({ "read": counts.read, "new": counts.new, "joined": counts.joins }));
            audit::write(tx, &[entry]).await?;
        }
    }
    step.come = Some(come);
    end(tx, &step).await
}
