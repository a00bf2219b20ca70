//! The trace of a balance: all entries of a referrer's ledger in one currency, summed by account and kind so that they
//! add up to what is there, the newest of them one by one, and what stands between the balance and money. The ledger
//! may be of any length: sums are made by the database.

mod facts;
mod needed;

use super::Reader;
use super::link::Thing;
use super::store::balance::NewestRow;
use crate::db::{Conn, DbResult};
use crate::engine::state::{Account, AdjustmentKind, EntryKind};
use crate::money::{Currency, Money};
use facts::OfBalance;

/// The way a balance came about.
#[derive(Debug, Clone)]
pub struct BalanceTrace {
    pub title: String,
    /// Its state in a word.
    pub state: &'static str,
    /// The result, in a sentence.
    pub outcome: String,
    pub currency: Currency,
    /// Earned and not paid yet.
    pub owed: Money,
    pub parts: Vec<Part>,
    /// All entries, those that are not told one by one too.
    pub entries: i64,
    pub newest: Vec<Entry>,
    /// The obstacles between it and money, a sentence each.
    pub needed: Vec<String>,
}

/// The entries of one kind.
#[derive(Debug, Clone)]
pub struct Part {
    pub kind: EntryKind,
    pub title: &'static str,
    pub entries: i64,
    /// By account, in the order of [`Account::ALL`].
    pub sums: [i64; Account::ALL.len()],
}

/// An entry in words.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: i64,
    pub kind: EntryKind,
    pub title: &'static str,
    pub account: Account,
    pub amount: Money,
    pub day: String,
    pub at: i64,
    /// The lead, the payout or the reason.
    pub about: String,
    /// The thing that has the trace behind it.
    pub thing: Option<Thing>,
    pub adjustment_id: Option<i64>,
}

impl BalanceTrace {
    pub fn of(&self, account: Account) -> i64 {
        let at = Account::ALL.iter().position(|one| *one == account);
        self.parts.iter().filter_map(|part| part.sums.get(at?)).sum()
    }

    pub fn money(&self, minor: i64) -> Money {
        Money { minor, currency: self.currency }
    }
}

/// The trace of a referrer's balance in a currency; none where it has no entry.
pub async fn balance(
    conn: &mut Conn,
    business_id: i64,
    referrer_id: i64,
    currency: Currency,
    reader: Reader,
) -> DbResult<Option<BalanceTrace>> {
    let Some(mut of) = OfBalance::read(conn, business_id, referrer_id, currency).await? else { return Ok(None) };
    if reader == Reader::Stranger {
        of.hide();
    }
    Ok(Some(BalanceTrace {
        title: match reader {
            Reader::Staff => format!("{currency} balance of {}", of.referrer),
            Reader::Stranger => format!("A balance in {currency}"),
        },
        state: needed::state(&of),
        outcome: needed::now(&of),
        currency,
        owed: of.money(of.owed()),
        parts: parts(&of),
        entries: of.sums.iter().map(|sum| sum.entries).sum(),
        newest: of.newest.iter().map(|row| entry(row, currency)).collect(),
        needed: needed::needed(&of),
    }))
}

/// The sums by kind, in the order of a commission's life.
fn parts(of: &OfBalance) -> Vec<Part> {
    let part = |kind: EntryKind| {
        let mut part = Part { kind, title: title(kind), entries: 0, sums: [0; Account::ALL.len()] };
        for sum in of.sums.iter().filter(|sum| sum.kind == kind) {
            part.entries += sum.entries;
            for (at, account) in Account::ALL.iter().enumerate() {
                if *account == sum.account
                    && let Some(cell) = part.sums.get_mut(at)
                {
                    *cell += sum.amount;
                }
            }
        }
        part
    };
    EntryKind::ALL.into_iter().map(part).filter(|part| part.entries > 0).collect()
}

fn title(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Created => "Earned",
        EntryKind::Approved => "Approved",
        EntryKind::Voided => "Voided",
        EntryKind::Restored => "Given again",
        EntryKind::Refunded => "Changed by refunds",
        EntryKind::ClawedBack => "Taken back",
        EntryKind::Disputed => "Disputed",
        EntryKind::DisputeEnded => "Dispute over",
        EntryKind::Adjusted => "Adjusted by staff",
        EntryKind::Locked => "Taken by a payout",
        EntryKind::Unlocked => "Given back by a payout",
        EntryKind::Paid => "Paid",
        EntryKind::Failed => "Payment failed",
        EntryKind::Returned => "Payment returned",
    }
}

fn entry(row: &NewestRow, currency: Currency) -> Entry {
    let thing = row.line_id.map(Thing::PayoutLine).or_else(|| row.commission_id.map(Thing::Commission));
    let payout = row.payout_number.map(|number| format!("payout P-{number}"));
    let adjusted = row.adjusted_by.map(|kind| match kind {
        AdjustmentKind::ClawBack => "",
        AdjustmentKind::Bonus => "bonus",
        AdjustmentKind::Correction => "correction",
    });
    let adjusted = adjusted.filter(|word| !word.is_empty()).map(|word| match &row.reason {
        Some(reason) => format!("{word}: {reason}"),
        None => word.to_owned(),
    });
    let about = [row.lead.clone(), adjusted, payout].into_iter().flatten().collect::<Vec<_>>().join(", ");
    Entry {
        id: row.id,
        kind: row.kind,
        title: title(row.kind),
        account: row.account,
        amount: Money { minor: row.amount, currency },
        day: row.day.clone(),
        at: row.at,
        about,
        thing,
        adjustment_id: row.adjustment_id,
    }
}
