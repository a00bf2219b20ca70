//! The life of a payout, of its lines and of adjustments: every state with every event, in one table each.

use serde::{Deserialize, Serialize};

use crate::engine::state::{AdjustmentState, LineState, PayoutState};

/// Happens to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LineEvent {
    Lock,
    Unlock,
    Pay,
    Fail,
    /// Paid money came back.
    Return,
}

/// The answer to an event: another state, or none that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next<S> {
    To(S),
    /// It happened before; nothing changes.
    Already,
    /// It cannot happen in this state.
    Never,
}

impl LineState {
    pub fn after(self, event: LineEvent) -> Next<Self> {
        use LineEvent::{Fail, Lock, Pay, Return, Unlock};
        match (self, event) {
            (Self::In, Lock) => Next::To(Self::Locked),
            (Self::Locked, Unlock) => Next::To(Self::In),
            (Self::Locked, Pay) => Next::To(Self::Paid),
            (Self::Locked, Fail) => Next::To(Self::Failed),
            (Self::Paid, Return) => Next::To(Self::Returned),
            (Self::Locked, Lock)
            | (Self::In, Unlock)
            | (Self::Paid, Pay)
            | (Self::Failed, Fail)
            | (Self::Returned, Return) => Next::Already,
            (Self::Out, Lock | Unlock | Pay | Fail | Return)
            | (Self::In, Pay | Fail | Return)
            | (Self::Locked, Return)
            | (Self::Paid, Lock | Unlock | Fail)
            | (Self::Failed, Lock | Unlock | Pay | Return)
            | (Self::Returned, Lock | Unlock | Pay | Fail) => Next::Never,
        }
    }

    /// True while the money of the line is away from what is due.
    pub fn has_money(self) -> bool {
        matches!(self, Self::Locked | Self::Paid)
    }
}

/// Happens to a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayoutEvent {
    /// Its lines were all found.
    Built,
    /// Its lines are found again.
    Refresh,
    Drop,
    Lock,
    /// All of its lines were taken.
    Taken,
    /// A line was not as it was reviewed, or staff undo it.
    Unlock,
    /// All of its lines were given back.
    GivenBack,
    Approve,
    /// A line was paid, failed or returned.
    Settle,
    Close,
}

impl PayoutState {
    pub fn after(self, event: PayoutEvent) -> Next<Self> {
        use PayoutEvent::{Approve, Built, Close, Drop, GivenBack, Lock, Refresh, Settle, Taken, Unlock};
        match (self, event) {
            (Self::Building, Built) | (Self::Unlocking, GivenBack) => Next::To(Self::Draft),
            (Self::Draft, Refresh) => Next::To(Self::Building),
            (Self::Draft | Self::Building, Drop) => Next::To(Self::Dropped),
            (Self::Draft, Lock) => Next::To(Self::Locking),
            (Self::Locking, Taken) => Next::To(Self::Locked),
            (Self::Locking | Self::Locked | Self::Approved, Unlock) => Next::To(Self::Unlocking),
            (Self::Locked, Approve) => Next::To(Self::Approved),
            (Self::Locked, Settle) => Next::To(Self::Locked),
            (Self::Approved, Settle) => Next::To(Self::Approved),
            (Self::Locked | Self::Approved, Close) => Next::To(Self::Closed),
            (Self::Building, Refresh)
            | (Self::Locking | Self::Locked | Self::Approved, Lock)
            | (Self::Unlocking, Unlock)
            | (Self::Approved, Approve)
            | (Self::Closed, Close)
            | (Self::Dropped, Drop) => Next::Already,
            (Self::Building, Lock | Taken | Unlock | GivenBack | Approve | Settle | Close)
            | (Self::Draft, Built | Taken | Unlock | GivenBack | Approve | Settle | Close)
            | (Self::Locking, Built | Refresh | Drop | GivenBack | Approve | Settle | Close)
            | (Self::Locked, Built | Refresh | Drop | Taken | GivenBack)
            | (Self::Unlocking, Built | Refresh | Drop | Lock | Taken | Approve | Settle | Close)
            | (Self::Approved, Built | Refresh | Drop | Taken | GivenBack)
            | (Self::Closed, Built | Refresh | Drop | Lock | Taken | Unlock | GivenBack | Approve | Settle)
            | (Self::Dropped, Built | Refresh | Lock | Taken | Unlock | GivenBack | Approve | Settle | Close) => {
                Next::Never
            }
        }
    }
}

/// Happens to an adjustment that waits for a second person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdjustmentEvent {
    Approve,
    Refuse,
    /// The person who made it gives it up.
    Withdraw,
}

impl AdjustmentState {
    pub fn after(self, event: AdjustmentEvent) -> Next<Self> {
        use AdjustmentEvent::{Approve, Refuse, Withdraw};
        match (self, event) {
            (Self::Pending, Approve) => Next::To(Self::Posted),
            (Self::Pending, Refuse) => Next::To(Self::Refused),
            (Self::Pending, Withdraw) => Next::To(Self::Withdrawn),
            (Self::Posted, Approve) | (Self::Refused, Refuse) | (Self::Withdrawn, Withdraw) => Next::Already,
            (Self::Posted, Refuse | Withdraw)
            | (Self::Refused, Approve | Withdraw)
            | (Self::Withdrawn, Approve | Refuse) => Next::Never,
        }
    }
}
