//! Payouts: batches of what is due in one currency by one method, from the draft that staff review to the last
//! line paid. [`create`] builds a draft, [`lock`] takes its lines off what is due, [`settle`] says what became of
//! each. The money itself moves in [`engine::payout`](crate::engine::payout).
//!
//! A payout of any size is written some lines at a time: the first lot in the call itself, the rest by a job. A
//! crash leaves it `building`, `locking` or `unlocking`, and the job goes on.

mod answer;
mod draft;
mod file;
pub mod files;
mod fitting;
mod formats;
mod frozen;
mod job;
mod ledger;
mod line;
mod lock;
mod making;
mod owed;
pub mod pages;
mod preview;
mod queue;
mod refused;
mod report;
pub mod results;
mod rhythm;
mod set_up;
mod settings;
mod settle;
mod source;
mod standing;
mod store;
mod wish;

use crate::amounts::Amounts;
use crate::db::{Conn, DbResult};
use crate::engine::payout::Selection;
use crate::engine::state::PayoutState;
use crate::money::Money;
use crate::payout_details::Offered;

pub use answer::{Answer, Examined, NotRead, Row as AnswerRow, apply, examine, is_pain002, reading_of};
pub use draft::{create, drop_draft, leave_out, refresh, take_in};
pub use file::{Made, Plan, Planned, file, plan};
pub use formats::{Version, formats, reading, version};
pub use job::step;
pub use ledger::ledger;
pub use line::OutReason;
pub use lock::{Approver, approve, lock, unlock};
pub use owed::{LeftOut, Owed, in_all, owed};
pub use preview::{OutLine, Preview, TOLD, preview};
pub use queue::KIND;
pub use refused::{NoFile, Refused};
pub use report::{LARGEST as LARGEST_REPORT, choose as choose_columns, forget, keep, kept};
pub use rhythm::{LAST_DAY, run as run_rhythm};
pub use set_up::{SetUp, set_payer, set_saved};
pub use settings::{
    MOST_CHANGED_DAYS, Set, USUAL_CHANGED_DAYS, changed_days, paying, set_approval, set_changed_days, set_day,
    set_minimum, set_offered,
};
pub use settle::{Settled, close, pay_all, settle};
pub use standing::{Standing, standing};
pub use store::{Approval, LineFilter, LineRow, Paying, PayoutRow, Sum, Unpaid, line, lines, listing, sums, unpaid};
pub use wish::{NewPayout, Settle};

/// A payout of the business.
pub async fn find(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<PayoutRow>> {
    store::find(conn, business_id, id).await
}

/// A payout by the number that people call it by.
pub async fn by_number(conn: &mut Conn, business_id: i64, number: i64) -> DbResult<Option<PayoutRow>> {
    store::by_number(conn, business_id, number).await
}

/// The job that works on a payout, if one does.
pub async fn job(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<i64>> {
    crate::jobs::running(conn, business_id, &queue::join_key(id)).await
}

/// The people who have to agree before a payout of the business is paid.
pub async fn approval(conn: &mut Conn, business_id: i64) -> DbResult<Approval> {
    store::approval(conn, business_id).await
}

/// The ways of paying that a campaign offers.
pub async fn offered(conn: &mut Conn, campaign_id: i64) -> DbResult<Offered> {
    store::offered(conn, campaign_id).await
}

impl PayoutRow {
    /// "P-12": what people call it.
    pub fn name(&self) -> String {
        format!("P-{}", self.number)
    }

    pub fn money(&self) -> Money {
        Money { minor: self.amount, currency: self.currency }
    }

    /// True while a job is at it.
    pub fn is_busy(&self) -> bool {
        matches!(self.state, PayoutState::Building | PayoutState::Locking | PayoutState::Unlocking)
    }

    fn selection(&self) -> Selection {
        Selection { business_id: self.business_id, campaign_id: self.campaign_id, currency: self.currency }
    }
}

impl Paying {
    /// The ways of paying, the least amounts and the day, as a page of the campaign tells them.
    pub fn sentences(&self) -> Vec<String> {
        let ways = if self.offered.is_all() { "in every way".to_owned() } else { self.offered.within() };
        let least = Amounts::from_json(&self.payout_minimum);
        let least = (!least.is_empty()).then(|| format!("from {} on", least.shown()));
        let day = self.payout_day.map(|day| format!("by drafts made on day {day} of each month"));
        [Some(ways), least, day].into_iter().flatten().collect()
    }
}

impl LineRow {
    pub fn money(&self) -> Money {
        Money { minor: self.amount, currency: self.currency }
    }
}
