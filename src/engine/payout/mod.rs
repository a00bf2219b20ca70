//! Money on its way out. A payout takes what is due of its referrers in one currency and moves it to `paying`,
//! from there to `paid` or back. All of it is written set-wise: commissions and adjustments of many referrers at
//! once, without the locks of their people. So a commission is taken by its version: one that an event changed
//! meanwhile makes the transaction [`Lost`](crate::db::DbError::Lost), and an event that meets a taken one
//! decides again.

mod life;
mod store;

use std::collections::{BTreeMap, BTreeSet};

use super::ids::{BusinessId, LineId};
use super::save::entries;
use super::state::{Account, EntryKind};
use super::work::Entry;
use crate::clock::Day;
use crate::counters;
use crate::db::{Conn, DbError, DbResult, Tx};
use crate::money::Currency;

pub use life::{AdjustmentEvent, LineEvent, Next, PayoutEvent};
pub use store::{Candidate, Item};

/// The subject of a payout.
#[derive(Debug, Clone, Copy)]
pub struct Selection {
    pub business_id: i64,
    /// All campaigns without one.
    pub campaign_id: Option<i64>,
    pub currency: Currency,
}

/// The first day on which a commission is due: its hold lasts to the end of the day before.
pub fn due_from(held_until: Day) -> Day {
    held_until.plus_days(1)
}

/// The last day of the holds that are over by a day.
pub fn hold_before(due: Day) -> Day {
    due.plus_days(-1)
}

/// The next referrers with anything approved, in the order of their ids.
pub async fn next_referrers(conn: &mut Conn, of: &Selection, after: i64, most: usize) -> DbResult<Vec<i64>> {
    store::next_referrers(conn, of, after, most).await
}

/// Everything approved of some referrers that no payout has taken, what may not be paid now too. What was taken
/// back counts for every selection: nobody is paid by one campaign what they owe by another.
pub async fn candidates(conn: &mut Conn, of: &Selection, referrers: &[i64]) -> DbResult<Vec<Candidate>> {
    if referrers.is_empty() { Ok(Vec::new()) } else { store::candidates(conn, of, referrers).await }
}

/// The same of one referrer as sums, one for each campaign and reason not to pay, amounts taken back apart: they have
/// no ids.
pub async fn summed(conn: &mut Conn, of: &Selection, referrer_id: i64) -> DbResult<Vec<Candidate>> {
    store::summed(conn, of, referrer_id).await
}

/// An item and the line that takes it.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    pub item: Item,
    pub line_id: LineId,
}

/// A move of money between two accounts.
struct Move {
    from: Account,
    to: Account,
    kind: EntryKind,
}

/// Takes items, as they were read, off what is due.
pub async fn lock(tx: &mut Tx, about: Ledger, taken: &[Taken]) -> DbResult<()> {
    store::take(tx, taken).await?;
    let how = Move { from: Account::Due, to: Account::Paying, kind: EntryKind::Locked };
    post(tx, about, taken.iter().map(|t| (t, &how))).await
}

/// The items of some lines were paid.
pub async fn pay(tx: &mut Tx, about: Ledger, lines: &[i64]) -> DbResult<()> {
    let items = store::items(tx, lines).await?;
    store::set_paid(tx, &items).await?;
    let how = Move { from: Account::Paying, to: Account::Paid, kind: EntryKind::Paid };
    post(tx, about, items.iter().map(|(t, _)| (t, &how))).await
}

/// Why the items of a line are given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    Unlocked,
    Failed,
    Returned,
}

/// Gives the items of some lines back: to what is due, or, while their payment is disputed, to what is held.
pub async fn release(tx: &mut Tx, about: Ledger, lines: &[i64], why: Release) -> DbResult<()> {
    let items = store::items(tx, lines).await?;
    store::give_back(tx, &items).await?;
    let (from, kind) = match why {
        Release::Unlocked => (Account::Paying, EntryKind::Unlocked),
        Release::Failed => (Account::Paying, EntryKind::Failed),
        Release::Returned => (Account::Paid, EntryKind::Returned),
    };
    let (due, held) = (Move { from, to: Account::Due, kind }, Move { from, to: Account::Held, kind });
    post(tx, about, items.iter().map(|(t, disputed)| (t, if *disputed { &held } else { &due }))).await
}

/// The ledger that is written: a business's, in one currency, on its day.
#[derive(Debug, Clone, Copy)]
pub struct Ledger {
    pub business_id: BusinessId,
    pub currency: Currency,
    pub day: Day,
}

/// Two entries an item, and the counters of its campaign.
async fn post<'a>(tx: &mut Tx, about: Ledger, moves: impl Iterator<Item = (&'a Taken, &'a Move)>) -> DbResult<()> {
    let moves: Vec<(&Taken, &Move)> = moves.collect();
    let mut ids = tx.ids(2 * moves.len())?;
    let mut counted: BTreeMap<(i64, String, String), i64> = BTreeMap::new();
    let mut written = Vec::with_capacity(2 * moves.len());
    for (taken, how) in moves {
        let item = &taken.item;
        for (account, amount) in [(how.from, -item.amount), (how.to, item.amount)] {
            let id = ids.next().ok_or_else(|| DbError::Fault("too few ids were drawn".into()))?;
            let name = format!("money.{account}.{}", about.currency);
            *counted.entry((item.campaign_id.0, name, String::new())).or_default() += amount;
            written.push(Entry {
                id,
                business_id: about.business_id,
                referrer_id: item.referrer_id,
                currency: about.currency,
                account,
                amount,
                kind: how.kind,
                commission_id: item.commission_id,
                adjustment_id: item.adjustment_id,
                line_id: Some(taken.line_id),
                day: about.day,
            });
        }
    }
    entries::post(tx, &written).await?;
    counters::add(tx, &counted.iter().filter(|(_, by)| **by != 0).collect::<Vec<_>>()).await
}

/// Posts adjustments that staff made to what is due.
pub async fn adjust(tx: &mut Tx, about: Ledger, items: &[Item]) -> DbResult<()> {
    let mut ids = tx.ids(items.len())?;
    let mut counted: BTreeMap<(i64, String, String), i64> = BTreeMap::new();
    let mut written = Vec::with_capacity(items.len());
    for item in items {
        let id = ids.next().ok_or_else(|| DbError::Fault("too few ids were drawn".into()))?;
        let currency = about.currency;
        let money = (item.campaign_id.0, format!("money.{}.{currency}", Account::Due), String::new());
        let earned = (item.enrollment_id.0, format!("earned.{currency}"), String::new());
        for scope in [money, earned] {
            *counted.entry(scope).or_default() += item.amount;
        }
        written.push(Entry {
            id,
            business_id: about.business_id,
            referrer_id: item.referrer_id,
            currency,
            account: Account::Due,
            amount: item.amount,
            kind: EntryKind::Adjusted,
            commission_id: None,
            adjustment_id: item.adjustment_id,
            line_id: None,
            day: about.day,
        });
    }
    entries::post(tx, &written).await?;
    let figures: BTreeSet<i64> = items.iter().map(|item| item.enrollment_id.0).collect();
    crate::figures::enqueue(tx, &figures).await?;
    counters::add(tx, &counted.iter().collect::<Vec<_>>()).await
}
