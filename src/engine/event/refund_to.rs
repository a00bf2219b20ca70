//! Brings the refunds of a payment to a sum, as a payment provider names it. Decided under the locks of
//! the payment: a refund that came by another way meanwhile is a part of the sum, and nothing is taken twice.

use serde::{Deserialize, Serialize};

use crate::clock::Day;
use crate::email::Email;
use crate::engine::decision::{By, Decided, Field, ProductScope, Rejected};
use crate::engine::facts::{Paid, RefundRow};
use crate::engine::ids::{BusinessId, PaymentId, RefundId};
use crate::engine::names::{PaymentName, SoughtBy, SoughtPayment};
use crate::engine::rule::{Change, Rule};
use crate::engine::rules::refunds;
use crate::engine::state::RefundState;
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;
use crate::id;
use crate::money::{Money, Unpriced};

/// The beginning of the identities of its refunds.
pub(super) const IDENTITY: &str = "sum:";
/// A sum is a share of what a card was charged: a difference of a minor unit comes from rounding.
const ROUNDING: i64 = 1;

#[derive(Debug, Clone)]
pub struct RefundTo {
    pub of: ProductScope,
    pub email: Email,
    /// The payment is the one that has the first of these that any has.
    pub names: Vec<PaymentName>,
    /// All that was given back of it. A smaller sum than is known means that a refund did not reach the customer.
    pub total: Money,
    pub date: Day,
    /// All of it that came back after it was given: refunds that failed, disputes that were won in the end. In minor
    /// units of the total's currency. A sum that is smaller by more than this is old news.
    pub failed: i64,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefundToOutcome {
    Refunded {
        payment_id: PaymentId,
        amount: Money,
    },
    /// A refund failed: its amount is a part of the payment again. The rest was given back by another way, as staff do:
    /// that stays until a person decides.
    Restored {
        payment_id: PaymentId,
        amount: Money,
        rest: Money,
    },
    Known {
        payment_id: PaymentId,
    },
    /// A refund failed, and its commission has been in a payout: nothing changes.
    InPayout {
        payment_id: PaymentId,
        amount: Money,
    },
}

impl RefundToOutcome {
    pub fn payment_id(&self) -> PaymentId {
        let (Self::Refunded { payment_id, .. }
        | Self::Restored { payment_id, .. }
        | Self::Known { payment_id }
        | Self::InPayout { payment_id, .. }) = self;
        *payment_id
    }
}

impl Change for RefundToOutcome {
    fn changed(&self) -> bool {
        match self {
            Self::Refunded { .. } => true,
            Self::Restored { amount, .. } => amount.minor > 0,
            Self::Known { .. } | Self::InPayout { .. } => false,
        }
    }
}

impl Rule for RefundTo {
    type Outcome = RefundToOutcome;

    fn subjects(&self, business_id: BusinessId, about: &mut Subjects) {
        about.product(self.of);
        about.person(business_id, self.of.scope, Some(self.email.key()), None);
        let by = SoughtBy::Names(self.names.clone());
        about.seek(SoughtPayment { business_id, test: self.of.scope.test, by });
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<RefundToOutcome> {
        let named = work.facts.payment_named(by.business_id, self.of.scope.test, &self.names);
        let paid = named.ok_or(Rejected::NotFound)?.clone();
        let payment_id = paid.id;
        if self.total.currency != paid.currency {
            let why = format!("is not the payment's, which was in {}", paid.currency);
            return Err(Rejected::Invalid { field: Field::Currency, why });
        }
        let total = self.total.minor.clamp(0, paid.amount);
        if total > paid.refunded {
            let amount = paid.money(total - paid.refunded);
            let id = self.keep(work, &paid, amount.minor);
            refunds::apply(work, by, id, payment_id, amount, Some(&self.reason));
            return Ok(RefundToOutcome::Refunded { payment_id, amount });
        }
        let (given_back, undone) = sums(work, payment_id);
        let failed = if self.failed > undone { self.failed - undone + ROUNDING } else { 0 };
        let wanted = (paid.refunded - total).min(failed);
        // Staff may have refunded a part by another way, which no provider can take off again.
        let back = wanted.clamp(0, (given_back - undone).max(0));
        if wanted <= 0 || (back == 0 && wanted <= ROUNDING) {
            return Ok(RefundToOutcome::Known { payment_id });
        }
        if work.facts.commissions_of(payment_id).iter().any(|c| c.is_committed()) {
            return Ok(RefundToOutcome::InPayout { payment_id, amount: paid.money(wanted) });
        }
        if back > 0 {
            let id = self.keep(work, &paid, -back);
            refunds::undo(work, by, id, payment_id, &self.reason);
        }
        let rest = if wanted - back > ROUNDING { wanted - back } else { 0 };
        Ok(RefundToOutcome::Restored { payment_id, amount: paid.money(back), rest: paid.money(rest) })
    }
}

/// The sums that such events gave back of a payment, and that they took off again.
fn sums(work: &Work, payment_id: PaymentId) -> (i64, i64) {
    let ours = work.facts.refunds_of(payment_id).into_iter().filter(|r| r.identity.starts_with(IDENTITY));
    ours.filter_map(|r| r.amount).fold((0, 0), |(given, undone), minor| {
        if minor < 0 { (given, undone - minor) } else { (given + minor, undone) }
    })
}

impl RefundTo {
    /// The row of this change: refunds are never rewritten, and their sum is what was given back.
    fn keep(&self, work: &mut Work, paid: &Paid, minor: i64) -> RefundId {
        let id = work.id();
        let identity = format!("{IDENTITY}{id}");
        work.facts.add_refund(RefundRow {
            id,
            business_id: paid.business_id,
            campaign_id: paid.campaign_id,
            product_id: paid.product_id,
            test: paid.test,
            email: paid.email.clone(),
            email_key: paid.email_key.clone(),
            payment_id: Some(paid.id),
            asked: (minor > 0).then(|| Unpriced::of(paid.money(minor)).units()),
            amount: Some(minor),
            currency: Some(paid.currency),
            refund_date: self.date.max(paid.payment_date),
            body_hash: id::sha256_hex(&format!("{identity}|{minor}")),
            identity,
            state: RefundState::Applied,
            why: None,
            received_at: work.now.micros(),
        });
        work.writes.new_refunds.insert(id);
        id
    }
}
