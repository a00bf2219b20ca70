//! A balance in a sentence, and what stands between it and money.

use super::facts::OfBalance;
use crate::clock::Day;
use crate::engine::state::Account;
use crate::payout_details::Method;
use crate::payouts::{OutReason, Standing};
use crate::text::counted;

fn day(text: &str) -> String {
    Day::parse(text).map_or_else(|_| text.to_owned(), Day::shown)
}

pub fn now(of: &OfBalance) -> String {
    let parts = [(Account::Held, "held"), (Account::Due, "due"), (Account::Paying, "being paid")];
    let parts = parts.map(|(account, word)| (of.of(account), word));
    let parts: Vec<String> = parts
        .iter()
        .filter(|(minor, _)| *minor != 0)
        .map(|(minor, word)| format!("{word} {}", of.shown(*minor)))
        .collect();
    let owed = match of.owed() {
        0 if parts.is_empty() => "Nothing is owed.".to_owned(),
        0 => format!("Nothing is owed in all: {}.", parts.join(", ")),
        less if less < 0 => format!("{} more was taken back than was earned since.", of.shown(-less)),
        owed => format!("{} is owed: {}.", of.shown(owed), parts.join(", ")),
    };
    match of.of(Account::Paid) {
        0 => owed,
        paid => format!("{owed} {} was paid so far.", of.shown(paid)),
    }
}

/// Its state in a word: the account that says most.
pub fn state(of: &OfBalance) -> &'static str {
    if of.of(Account::Due) > 0 {
        return "due";
    }
    let first = [Account::Held, Account::Paying].into_iter().find(|account| of.of(*account) > 0);
    match first {
        Some(account) => account.word(),
        None if of.owed() < 0 => "negative",
        None => "paid",
    }
}

pub fn needed(of: &OfBalance) -> Vec<String> {
    let mut needed: Vec<String> = held(of).into_iter().collect();
    if let Some(standing) = &of.standing {
        needed.extend(due(of, standing));
    }
    for line in &of.on_their_way {
        needed.push(format!("{} is in payout P-{}, which waits to be paid.", of.shown(line.amount), line.number));
    }
    needed
}

fn held(of: &OfBalance) -> Option<String> {
    let held = of.held.as_ref().filter(|held| held.commissions > 0)?;
    let amount = of.shown(held.amount);
    let (first, last) = (held.first.as_deref().map(day)?, held.last.as_deref().map(day)?);
    Some(if first == last {
        format!("{amount} is held until {first}, or until staff approve it earlier.")
    } else {
        let many = counted(held.commissions);
        format!("{amount} is held: {many} commissions, the first until {first}, the last until {last}.")
    })
}

/// The words of a payout about everything that is approved.
fn due(of: &OfBalance, standing: &Standing) -> Vec<String> {
    let line = &standing.line;
    let mut needed = Vec::new();
    if standing.disputed != 0 {
        needed.push(format!("{} is held until the disputes of its payments end.", of.shown(standing.disputed)));
    }
    if standing.banned != 0 {
        let amount = of.shown(standing.banned);
        needed.push(format!("{amount} is kept out of payouts: the referrer is banned. Staff approve or void it."));
    }
    let how = standing.method.within();
    for (part, offered) in &standing.not_offered {
        needed.push(format!("{} is not paid {how}: its campaign offers {}.", of.shown(*part), offered.within()));
    }
    let amount = of.shown(line.amount);
    let since = line.since.map(|since| format!(" since {}", since.shown())).unwrap_or_default();
    match line.out {
        Some(OutReason::BelowMinimum) => {
            let minimum = of.shown(line.minimum.unwrap_or_default());
            needed.push(format!(
                "{amount} is below the minimum of {minimum}{since}: it is carried over until the balance reaches it."
            ));
        }
        Some(OutReason::Negative) => {
            needed.push(format!("{} was taken back: what is earned next is netted with it.", of.shown(-line.amount)));
        }
        None => {
            // Details may be such that the file cannot hold them: that is found when a draft is made.
            let unless = if standing.method == Method::Hand { "" } else { ", unless the details cannot be sent" };
            needed.push(format!("{amount} is due{since}: the next payout {how} takes it{unless}."));
        }
        Some(
            OutReason::NoDetails
            | OutReason::Banned
            | OutReason::Disputed
            | OutReason::Nothing
            | OutReason::OtherMethod
            | OutReason::NotOffered
            | OutReason::ByHand
            | OutReason::Unfit,
        ) => {}
    }
    if !standing.has_details && line.amount > 0 {
        needed.push("No payout details are entered: without them it can only be paid by hand.".into());
    }
    needed
}
