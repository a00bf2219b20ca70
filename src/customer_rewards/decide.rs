//! The decisions of staff about customers' rewards: given, given by mistake, void.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::store::{self, CustomerRewardRow, Decided};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::clock::Day;
use crate::core::Core;
use crate::db::{DbResult, Tx};
use crate::engine::state::{CustomerRewardCause, CustomerRewardState as State};

/// Rewards of one decision, at most.
pub const MOST: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The customer has it. Before its hold is over only for a reason.
    Give { early: Option<String> },
    /// It was said by mistake: it is due again.
    TakeBack,
    /// The customer does not get it, whatever comes later.
    Void { reason: String },
}

impl Act {
    fn action(&self) -> &'static str {
        match self {
            Self::Give { .. } => "customer_reward.given",
            Self::TakeBack => "customer_reward.not_given",
            Self::Void { .. } => "customer_reward.voided",
        }
    }

    fn reason(&self) -> Option<&String> {
        match self {
            Self::Give { early } => early.as_ref(),
            Self::TakeBack => None,
            Self::Void { reason } => Some(reason),
        }
    }
}

/// A decision about some rewards of a business.
#[derive(Debug, Clone)]
pub struct Wish {
    pub business_id: i64,
    /// At most [`MOST`].
    pub ids: Vec<i64>,
    pub act: Act,
    /// The business's day.
    pub today: Day,
}

/// Why a reward stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refused {
    /// Until this day; giving it now needs a reason.
    Held(String),
    State(State),
}

impl Refused {
    pub fn code(&self) -> &'static str {
        match self {
            Self::Held(_) => "customer_reward_held",
            Self::State(_) => "customer_reward_state",
        }
    }

    /// The sentence people read.
    pub fn sentence(&self) -> String {
        match self {
            Self::Held(day) => format!("It is held until {day}. To give it before that, say why."),
            Self::State(State::Due) => "The reward is due: it was not given yet.".into(),
            Self::State(State::Given) => {
                "The reward was given. To change that, first say that it was a mistake.".into()
            }
            Self::State(State::Void) => "The reward is void.".into(),
            Self::State(State::Reversed) => {
                "The customer is no longer qualified or referred. The reward was given before that.".into()
            }
        }
    }
}

/// The outcome for some rewards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub changed: usize,
    pub already: usize,
    /// Each that stays as it is, with the reason.
    pub refused: Vec<(i64, Refused)>,
    /// The ids that are none of the business.
    pub unknown: usize,
}

/// Decides about rewards, all in one write with one entry in the audit. Saying the same twice changes nothing.
pub async fn decide(core: &Core, actor: &Arc<Actor>, wish: Wish) -> DbResult<Tally> {
    core.write_once(Vec::new(), actor, wish, decide_in).await
}

enum Next {
    Already,
    Never(Refused),
    To(State),
}

fn next(row: &CustomerRewardRow, act: &Act, today: Day) -> Next {
    match (act, row.state) {
        (Act::Give { early: None }, State::Due) if row.is_held(today) => Next::Never(Refused::Held(row.held_until())),
        (Act::Give { .. }, State::Due) => Next::To(State::Given),
        (Act::Give { .. }, State::Given) | (Act::TakeBack, State::Due) | (Act::Void { .. }, State::Void) => {
            Next::Already
        }
        (Act::TakeBack, State::Given) => Next::To(State::Due),
        (Act::Void { .. }, State::Due) => Next::To(State::Void),
        (Act::Give { .. } | Act::TakeBack, State::Void | State::Reversed)
        | (Act::Void { .. }, State::Given | State::Reversed) => Next::Never(Refused::State(row.state)),
    }
}

async fn decide_in(tx: &mut Tx, wish: &Wish) -> DbResult<Tally> {
    let mut ids = wish.ids.clone();
    ids.sort_unstable();
    ids.dedup();
    ids.truncate(MOST);
    let rows = store::among(tx, wish.business_id, &ids).await?;
    let mut tally = Tally { unknown: ids.len() - rows.len(), ..Tally::default() };
    let (now, who) = (tx.now().micros(), tx.actor()?.name.clone());
    let mut decided = Vec::new();
    let mut of = None;
    for row in &rows {
        let state = match next(row, &wish.act, wish.today) {
            Next::Already => {
                tally.already += 1;
                continue;
            }
            Next::Never(why) => {
                tally.refused.push((row.id, why));
                continue;
            }
            Next::To(state) => state,
        };
        let is_given = state == State::Given;
        decided.push(Decided {
            id: row.id,
            version: row.updated_at,
            state,
            void_cause: (state == State::Void).then_some(CustomerRewardCause::Staff),
            reason: wish.act.reason().cloned(),
            given_at: is_given.then_some(now),
            given_by: is_given.then(|| who.clone()),
            updated_at: now.max(row.updated_at + 1),
        });
        of = of.or(Some(row));
    }
    tally.changed = decided.len();
    store::save(tx, &decided).await?;
    if let Some(first) = of {
        let entry = if decided.len() == 1 {
            let mut entry = NewEntry::by(tx, first.business_id, wish.act.action(), ("customer_reward", first.id))?
                .before(json!({ "state": first.state }))
                .after(json!({ "state": decided.first().map(|d| d.state), "reward": first.shown() }));
            entry.lead_id = Some(first.lead_id);
            entry
        } else {
            NewEntry::by(tx, first.business_id, wish.act.action(), ("campaign", first.campaign_id))?
                .after(json!({ "rewards": decided.len() }))
        };
        let entry = match wish.act.reason() {
            Some(reason) => entry.reason(reason),
            None => entry,
        };
        audit::write(tx, &[entry]).await?;
    }
    Ok(tally)
}
