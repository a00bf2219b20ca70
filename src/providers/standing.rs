//! How a referrer's code stands at Stripe, and why there is none: the first reason that holds, in words.

use super::Provider;
use super::accounts::Account;
use super::store::codes::CodeState as Stored;
use super::store::uses::AtStripe;
use crate::codes::CodeState;
use crate::words;

words! {
    /// The state of a code at an account.
    pub enum Stand {
        Made = "made",
        Waiting = "waiting",
        Refused = "refused",
        Ended = "ended",
        /// Nothing is made there.
        Missing = "not made",
    }
}

/// A referrer in a campaign.
#[derive(Debug, Clone)]
pub struct Owner {
    /// The state of the enrollment, as a word.
    pub state: String,
    pub archived: bool,
}

impl Owner {
    /// Why the codes of the referrer count for nobody; empty where they do.
    fn resting(&self) -> &str {
        match (self.archived, self.state.as_str()) {
            (true, _) => "archived",
            (false, "active") => "",
            (false, state) => state,
        }
    }
}

/// How a code stands at an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub stand: Stand,
    /// Why, and what happens next.
    pub sentence: String,
    /// The promotion code at Stripe and when it was made; `None` where there is none.
    pub made: Option<(String, i64)>,
}

impl Standing {
    fn new(stand: Stand, sentence: impl Into<String>) -> Self {
        Self { stand, sentence: sentence.into(), made: None }
    }

    pub fn tone(&self) -> &'static str {
        match self.stand {
            Stand::Made => "good",
            Stand::Waiting => "warning",
            Stand::Refused => "bad",
            Stand::Ended | Stand::Missing => "neutral",
        }
    }

    /// For a campaign without an account at Stripe.
    pub fn unconnected() -> Self {
        Self::new(Stand::Missing, "The campaign is not connected to Stripe, so no codes are made there.")
    }
}

/// The accounts at Stripe that are for a campaign, the connected ones first.
pub fn accounts(all: Vec<Account>, campaign_id: i64) -> Vec<Account> {
    let is_meant = |a: &Account| a.row.provider == Provider::Stripe && a.link(campaign_id).is_some();
    let mut meant: Vec<Account> = all.into_iter().filter(is_meant).collect();
    meant.sort_by_key(|a| !a.is_connected());
    meant
}

/// The best standing of a code among the accounts of its campaign.
pub fn best(
    accounts: &[Account],
    campaign_id: i64,
    owner: &Owner,
    code: Option<CodeState>,
    rows: &[AtStripe],
) -> Standing {
    let mut all: Vec<Standing> = accounts.iter().map(|a| at(a, campaign_id, owner, code, rows)).collect();
    all.sort_by_key(|standing| standing.stand != Stand::Made);
    all.into_iter().next().unwrap_or_else(Standing::unconnected)
}

/// How a code stands at one account that is for its campaign; `code` is `None` for a referrer without one.
pub fn at(account: &Account, campaign_id: i64, owner: &Owner, code: Option<CodeState>, rows: &[AtStripe]) -> Standing {
    let Some(link) = account.link(campaign_id) else { return Standing::unconnected() };
    let own: Vec<&AtStripe> = rows.iter().filter(|row| row.account_id == account.row.id).collect();
    let current = own.iter().copied().find(|row| row.digest == link.digest);
    let made = own.iter().copied().find(|row| row.state == Stored::Made);
    let ending = own.iter().any(|row| row.state == Stored::Ending);
    let Some(code) = code else { return without_code(owner) };
    if !account.is_connected() {
        return match made {
            Some(row) => of_made(
                row,
                "Stripe is disconnected: the code still gives its discount there, but no payment is heard of.",
            ),
            None => {
                Standing::new(Stand::Missing, "Stripe is disconnected, so no code is made. Connect the account again.")
            }
        };
    }
    if account.row.masked.is_empty() {
        return Standing::new(
            Stand::Missing,
            "The account is connected without a key of Stripe’s, so no codes are made there. Connect it again with a key.",
        );
    }
    if link.coupon.is_empty() {
        return Standing::new(
            Stand::Missing,
            "The campaign’s codes have no discount yet. They are made at Stripe as soon as the campaign says what they take off.",
        );
    }
    let is_gone = |why: &str| match ending {
        true => Standing::new(Stand::Waiting, format!("{why} It is about to be ended at Stripe.")),
        false => Standing::new(Stand::Ended, why),
    };
    match (code, made) {
        (CodeState::Retired, _) => is_gone("The code is retired, so it does not work at Stripe."),
        (CodeState::Alias, Some(row)) => {
            of_made(row, "An earlier code of its referrer, which works at Stripe as well.")
        }
        (CodeState::Alias, None) => {
            is_gone("Another code of the referrer took its place, and the campaign lets earlier codes end at Stripe.")
        }
        (CodeState::Active, _) => active(account, owner, current, ending),
    }
}

fn without_code(owner: &Owner) -> Standing {
    let sentence = match owner.resting() {
        "" => "The referrer has no code in this campaign. Generate one, and it is made at Stripe by itself.".to_owned(),
        state => format!("The referrer has no code in this campaign, and gets none while {state}."),
    };
    Standing::new(Stand::Missing, sentence)
}

fn active(account: &Account, owner: &Owner, current: Option<&AtStripe>, ending: bool) -> Standing {
    let waits = |why: &str| {
        let trouble = account.row.trouble.as_deref().map(|trouble| format!(" {trouble}")).unwrap_or_default();
        Standing::new(Stand::Waiting, format!("{why}{trouble}"))
    };
    let Some(row) = current else {
        return waits(if ending {
            "It is made anew under the present rules as soon as the earlier one is ended at Stripe."
        } else {
            "It is about to be made at Stripe."
        });
    };
    match row.state {
        Stored::Made => match owner.resting() {
            "" => of_made(row, "Made at Stripe."),
            state => of_made(
                row,
                &format!(
                    "Made at Stripe, where it gives its discount. New referrals do not count: the referrer is {state}."
                ),
            ),
        },
        Stored::Refused => Standing::new(Stand::Refused, row.why.clone()),
        Stored::Waiting if !row.why.is_empty() => {
            waits(&format!("It was not made yet, and is tried again by itself. {}", row.why))
        }
        Stored::Waiting if ending => waits("It is made as soon as another code of the same text is ended at Stripe."),
        Stored::Waiting => waits("It is about to be made at Stripe."),
        Stored::Ending => waits("It is about to be ended at Stripe."),
        Stored::Ended => waits("It ended at Stripe, and is about to be made anew."),
    }
}

fn of_made(row: &AtStripe, sentence: &str) -> Standing {
    Standing { made: Some((row.promotion.clone(), row.updated_at)), ..Standing::new(Stand::Made, sentence) }
}
