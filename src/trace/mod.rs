//! The answer to every "why": how a commission, a lead or a line of a payout came to be what it is, step by step, and
//! what would have to be true for what is missing. [`commission`], [`lead`] and [`payout_line`] read the facts with a
//! few statements and build the steps from them; the building is pure. [`balance`] does so for what a referrer is owed,
//! from sums. [`share`] makes a link by which somebody
//! without an account reads one trace, without anybody's name.

mod balance;
mod came;
mod earned;
mod facts;
mod link;
mod needed;
pub mod pages;
mod paid;
mod share;
mod step;
mod store;

use crate::clock::Instant;
use crate::db::{Conn, DbResult};
use crate::engine::state::LineState;
use crate::id;

pub use balance::{BalanceTrace, Entry as BalanceEntry, balance};
pub use link::{DAYS, LinkRow, Thing};
pub use share::{Ended, end, share};
pub use step::{Step, StepKind};

use facts::{OfCommission, OfLead, OfLine};

/// The steps behind something, in the order in which they happened.
#[derive(Debug, Clone)]
pub struct Trace {
    pub title: String,
    /// Its state in a word.
    pub state: String,
    /// The result, in a sentence.
    pub outcome: String,
    pub steps: Vec<Step>,
    /// Conditions for each missing part.
    pub needed: Vec<String>,
    /// True where it comes to nothing, and does not merely wait.
    pub is_missing: bool,
    /// The payout of a line.
    pub payout_id: Option<i64>,
}

/// The readers of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    Staff,
    /// Anybody who has the link: no name, no address, no words of staff.
    Stranger,
}

/// The trace of something: steps, or of a balance its parts.
#[derive(Debug, Clone)]
pub enum Answer {
    Steps(Trace),
    Balance(BalanceTrace),
}

impl Answer {
    pub fn title(&self) -> &str {
        match self {
            Self::Steps(t) => &t.title,
            Self::Balance(t) => &t.title,
        }
    }
}

/// The trace of a thing of the business.
pub async fn of(conn: &mut Conn, business_id: i64, thing: Thing, reader: Reader) -> DbResult<Option<Answer>> {
    let steps = match thing {
        Thing::Commission(id) => commission(conn, business_id, id, reader).await?,
        Thing::Lead(id) => lead(conn, business_id, id, reader).await?,
        Thing::PayoutLine(id) => payout_line(conn, business_id, id, reader).await?,
        Thing::Balance(id, currency) => {
            return Ok(balance(conn, business_id, id, currency, reader).await?.map(Answer::Balance));
        }
    };
    Ok(steps.map(Answer::Steps))
}

/// The trace of a commission of the business.
pub async fn commission(conn: &mut Conn, business_id: i64, id: i64, reader: Reader) -> DbResult<Option<Trace>> {
    let Some(mut of) = OfCommission::read(conn, business_id, id).await? else { return Ok(None) };
    if reader == Reader::Stranger {
        of.hide();
    }
    Ok(Some(Trace {
        title: format!("{} of {}", if of.c.kind == "reward" { "Reward" } else { "Commission" }, of.c.shown()),
        state: of.c.state.clone(),
        outcome: needed::commission_now(&of),
        steps: came::steps(&of.lead, &of.touches)
            .into_iter()
            .chain(earned::steps(&of))
            .chain(paid::steps(&of))
            .collect(),
        needed: needed::of_commission(&of),
        is_missing: of.c.state == "void",
        payout_id: None,
    }))
}

/// The trace of a lead of the business.
pub async fn lead(conn: &mut Conn, business_id: i64, id: i64, reader: Reader) -> DbResult<Option<Trace>> {
    let Some(mut of) = OfLead::read(conn, business_id, id).await? else { return Ok(None) };
    if reader == Reader::Stranger {
        of.hide();
    }
    Ok(Some(Trace {
        title: if reader == Reader::Stranger { "A referral".to_owned() } else { of.lead.name.clone() },
        state: of.lead.status.clone(),
        outcome: needed::lead_now(&of),
        steps: came::steps(&of.lead, &of.touches).into_iter().chain(earned::of_lead(&of)).collect(),
        needed: needed::of_lead(&of),
        is_missing: true,
        payout_id: None,
    }))
}

/// The trace of a payout's line of the business.
pub async fn payout_line(conn: &mut Conn, business_id: i64, id: i64, reader: Reader) -> DbResult<Option<Trace>> {
    let Some(mut of) = OfLine::read(conn, business_id, id).await? else { return Ok(None) };
    if reader == Reader::Stranger {
        of.hide();
    }
    Ok(Some(Trace {
        title: format!("{} for {}", of.line.money().shown(), of.line.referrer),
        state: of.line.state.to_string(),
        outcome: needed::line_now(&of),
        steps: paid::of_line(&of),
        needed: needed::of_line(&of),
        is_missing: of.line.state == LineState::Out,
        payout_id: Some(of.payout.id),
    }))
}

/// The link with this token, whatever became of it.
pub async fn link_by_token(conn: &mut Conn, token: &str) -> DbResult<Option<LinkRow>> {
    store::link_by_token(conn, &id::sha256_hex(token)).await
}

/// A link of the business.
pub async fn link(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<LinkRow>> {
    store::link(conn, business_id, id).await
}

/// The links to a trace that work now.
pub async fn links(conn: &mut Conn, thing: Thing, now: Instant) -> DbResult<Vec<LinkRow>> {
    store::links(conn, thing, now).await
}
