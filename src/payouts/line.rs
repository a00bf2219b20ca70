//! A referrer's line of a payout, made from what is approved of theirs by now. Pure, so that locking makes the same
//! line again and sees whether anything changed.

use super::store::Ended;
use crate::clock::Day;
use crate::engine::payout::{Candidate, due_from};
use crate::id::sha256_hex;
use crate::money::Money;
use crate::payout_details::{CurrentRow, Method};
use crate::words;

words! {
    /// Why a referrer is left out of a payout.
    pub enum OutReason {
        BelowMinimum = "below the minimum",
        NoDetails = "no details",
        Banned = "banned",
        Disputed = "disputed",
        /// More was taken back than they earned since.
        Negative = "negative balance",
        Nothing = "nothing is left",
        /// Their details are for another way of paying.
        OtherMethod = "other method",
        /// No campaign of theirs pays by the payout's method.
        NotOffered = "not offered by the campaign",
        /// Staff left them out.
        ByHand = "by hand",
        /// The payout's file cannot hold the line; its reason says why.
        Unfit = "cannot be sent",
    }
}

impl OutReason {
    /// Why, as a sentence. A line that is below a minimum has it, and one that cannot be sent its own words.
    pub fn sentence(self, minimum: Option<Money>, words: Option<&str>) -> String {
        match self {
            Self::BelowMinimum => {
                let of = minimum.map(|minimum| format!(" of {}", minimum.shown())).unwrap_or_default();
                format!("Below the minimum{of}. It is carried over to the next payout.")
            }
            Self::NoDetails => "Nothing says how they are paid. Enter their payout details.".into(),
            Self::Banned => "They are banned. Approve or void their commissions first.".into(),
            Self::Disputed => "The payments are disputed.".into(),
            Self::Negative => {
                "More was taken back than they earned since. It is netted with what they earn next.".into()
            }
            Self::Nothing => "Nothing is left to pay.".into(),
            Self::OtherMethod => "They are paid in another way.".into(),
            Self::NotOffered => "Not offered by the campaign: it pays in other ways.".into(),
            Self::ByHand => "Left out by hand.".into(),
            Self::Unfit => words.unwrap_or_default().to_owned(),
        }
    }
}

/// A line as it would be now.
#[derive(Debug, Clone)]
pub struct Built {
    pub referrer_id: i64,
    /// Minor units. Of one that is out, everything that is not paid now.
    pub amount: i64,
    pub items: i64,
    pub digest: String,
    /// The day on which the hold of the oldest part let it go, or will: staff may have approved it before.
    pub since: Option<Day>,
    pub out: Option<OutReason>,
    /// Why it cannot be sent: a sentence.
    pub reason: Option<String>,
    /// The minimum that it is below.
    pub minimum: Option<i64>,
    pub details: Option<CurrentRow>,
    /// The last payment to them, where it failed or came back.
    pub failed: Option<Ended>,
}

/// True for a candidate that may be paid now by a method.
pub fn is_payable(c: &Candidate, method: Method) -> bool {
    !c.disputed && !c.banned && is_offered(c, method)
}

/// True for a candidate that its campaign pays by a method. An amount taken back is netted in whatever is paid.
fn is_offered(c: &Candidate, method: Method) -> bool {
    c.amount < 0 || c.offered.has(method)
}

/// The line of one referrer. `minimum_of` gives a campaign's least amount; who earns in several is paid from the
/// lowest of theirs on.
pub fn build(
    referrer_id: i64,
    candidates: &[Candidate],
    minimum_of: impl Fn(i64) -> i64,
    method: Method,
    details: Option<CurrentRow>,
    by_hand: bool,
) -> Built {
    let (mut payable, mut kept): (Vec<&Candidate>, Vec<&Candidate>) =
        candidates.iter().partition(|c| is_payable(c, method));
    let waits = kept.iter().any(|c| !is_offered(c, method));
    if waits && payable.iter().all(|c| c.amount < 0) {
        // Another payout nets these, with the amounts that wait for it.
        kept.append(&mut payable);
    }
    let counted = if payable.is_empty() { &kept } else { &payable };
    let amount: i64 = counted.iter().map(|c| c.amount).sum();
    let earning = payable.iter().filter(|c| c.amount > 0);
    let minimum = earning.map(|c| minimum_of(c.campaign_id.0)).min().unwrap_or(0);
    let other = details.as_ref().filter(|d| d.method != method);
    let out = if by_hand {
        Some(OutReason::ByHand)
    } else if payable.is_empty() {
        Some(match kept.iter().any(|c| c.banned) {
            true => OutReason::Banned,
            false if waits => OutReason::NotOffered,
            false => OutReason::Disputed,
        })
    } else if amount < 0 {
        Some(OutReason::Negative)
    } else if amount == 0 {
        Some(OutReason::Nothing)
    } else if amount < minimum {
        Some(OutReason::BelowMinimum)
    } else if other.is_some() {
        Some(OutReason::OtherMethod)
    } else if details.is_none() && method != Method::Hand {
        Some(OutReason::NoDetails)
    } else {
        None
    };
    Built {
        referrer_id,
        amount,
        items: i64::try_from(counted.len()).unwrap_or(i64::MAX),
        digest: digest(counted),
        since: counted.iter().filter_map(|c| Day::parse(c.held_until.as_deref()?).ok()).map(due_from).min(),
        out,
        reason: None,
        minimum: (out == Some(OutReason::BelowMinimum)).then_some(minimum),
        details,
        failed: None,
    }
}

/// Tells the items of one line, and their amounts, from those of another.
fn digest(items: &[&Candidate]) -> String {
    let name = |c: &&Candidate| match (c.commission_id, c.adjustment_id) {
        (Some(id), _) => format!("c{id}:{};", c.amount),
        (None, Some(id)) => format!("a{id}:{};", c.amount),
        (None, None) => String::new(),
    };
    let mut names: Vec<String> = items.iter().map(name).collect();
    names.sort_unstable();
    sha256_hex(&names.concat()).chars().take(32).collect()
}

#[cfg(test)]
mod tests;
