//! The earnings of payments: a payment is decided once, as soon as its lead has a referrer.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::commission::{self, Line};
use super::{attribution, qualification};
use crate::clock::Day;
use crate::engine::decision::Earned;
use crate::engine::facts::{Paid, Purchase, RefundRow, Terms};
use crate::engine::ids::{LeadId, PaymentId, ProductId};
use crate::engine::state::{CommissionState, Decision, DecisionReason, InboxKind, RecurringLimit, Subscription};
use crate::engine::work::{NewInboxItem, Work};
use crate::money::{Currency, Money};

/// Payments this recent earn at once when an event brings them together with who referred their lead.
const AT_ONCE: i64 = 24 * 60 * 60;

/// Why a payment earned nothing where it should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Warning {
    NoFlatAmount { terms_number: i64, currency: Currency },
}

impl Warning {
    pub fn sentence(self) -> String {
        let Self::NoFlatAmount { terms_number, currency } = self;
        format!("terms {terms_number} name no flat amount in {currency}")
    }
}

pub fn earned_by(work: &Work, payment_id: PaymentId) -> Option<Earned> {
    let c = work.facts.standing_commission(payment_id)?;
    Some(Earned {
        commission_id: c.id,
        referrer_id: c.referrer_id,
        amount: c.money(),
        state: c.state,
        hold_until: c.hold_until,
    })
}

/// The earnings that the answer to a payment named when it was first decided, whatever became of them since.
/// Refunds that were here before had been taken off it already.
pub fn earned_at_first(work: &Work, payment_id: PaymentId) -> Option<Earned> {
    let of_payment = work.facts.commissions_of(payment_id).into_iter();
    let c = of_payment.min_by_key(|c| (c.created_at, c.id))?;
    let was_here = |r: &&RefundRow| (r.received_at, r.id.0) < (c.created_at, c.id.0);
    let refunds = work.facts.refunds_of(payment_id);
    let refunded: i64 = refunds.into_iter().filter(was_here).filter_map(|r| r.amount).sum();
    let whole = refunded > 0 && refunded >= c.base_amount;
    Some(Earned {
        commission_id: c.id,
        referrer_id: c.referrer_id,
        amount: Money { minor: commission::worth(c, refunded), currency: c.currency },
        state: if whole { CommissionState::Void } else { CommissionState::Pending },
        hold_until: c.hold_until,
    })
}

/// A lead's purchase of a product, made where this is the first that is heard of it.
pub fn purchase(work: &mut Work, lead_id: LeadId, product_id: ProductId, status: Subscription) -> &mut Purchase {
    work.writes.purchases.insert((lead_id, product_id));
    work.facts.purchases.entry((lead_id, product_id)).or_insert(Purchase {
        lead_id,
        product_id,
        first_payment_id: None,
        first_payment_date: None,
        decided: 0,
        subscription_status: status,
        paid_on: None,
        cancelled_on: None,
    })
}

/// The effects of a payment on its lead, whichever referrer it has: the subscription's state, the conversion, the
/// campaign's rule. Answers whether the rule qualified the lead.
pub fn follow_lead(work: &mut Work, lead_id: LeadId, payment_id: PaymentId) -> bool {
    let Some(paid) = work.facts.payments.get(&payment_id).cloned() else { return false };
    let bought = purchase(work, lead_id, paid.product_id, paid.subscription_status);
    // A cancellation of a later day stands, also when this payment comes after it.
    if bought.cancelled_on.is_none_or(|on| on <= paid.payment_date) {
        bought.subscription_status = paid.subscription_status;
        bought.cancelled_on = None;
    }
    bought.paid_on = bought.paid_on.max(Some(paid.payment_date));
    if paid.amount <= 0 {
        return false;
    }
    if work.facts.leads.get(&lead_id).is_some_and(|l| l.converted_at.is_none()) {
        qualification::convert(work, lead_id);
    }
    qualification::at_payment(work, lead_id, &paid)
}

/// The decision about a payment.
struct Verdict(Decision, DecisionReason);

/// Decides a payment that belongs to a lead: commission, nothing, or still waiting. Answers a warning
/// for the caller where there is one.
pub fn decide(work: &mut Work, payment_id: PaymentId) -> Option<Warning> {
    let paid = work.facts.payments.get(&payment_id).cloned()?;
    let (Verdict(decision, why), warning) = verdict(work, &paid);
    if let Some(p) = work.payment_mut(payment_id) {
        p.decision = decision;
        p.decision_why = why;
    }
    warning
}

fn verdict(work: &mut Work, paid: &Paid) -> (Verdict, Option<Warning>) {
    let waits = |why| (Verdict(Decision::Waiting, why), None);
    let nothing = |why| (Verdict(Decision::Nothing, why), None);
    let earned = |why| (Verdict(Decision::Earned, why), None);
    let Some(lead) = paid.lead_id.and_then(|id| work.facts.leads.get(&id)).cloned() else {
        return waits(DecisionReason::NoLead);
    };
    let Some(enrollment) = work.facts.enrollment_of_lead(&lead).cloned() else {
        return waits(DecisionReason::NoReferrer);
    };
    if enrollment.is_banned() {
        return waits(DecisionReason::ReferrerBanned);
    }
    if !paid.test && work.facts.is_draft(paid.campaign_id) {
        return waits(DecisionReason::CampaignDraft);
    }
    let Some(terms) = work.facts.terms_on(paid.product_id, paid.payment_date).cloned() else {
        return nothing(DecisionReason::NoTerms);
    };
    let before = purchase(work, lead.id, paid.product_id, paid.subscription_status).clone();
    let first = before.first_payment_id.is_none();
    let line = commission::line_of(&terms, first, paid.currency);
    let is_test_product = work.facts.products.get(&paid.product_id).is_some_and(|p| p.test);
    if paid.amount == 0 {
        if !(paid.test && is_test_product) {
            return nothing(DecisionReason::AmountZero);
        }
        commission::of_payment(work, paid, lead.id, &enrollment, &terms, first, &line);
        return earned(DecisionReason::TestProduct);
    }
    let bought = purchase(work, lead.id, paid.product_id, paid.subscription_status);
    bought.decided += 1;
    if first {
        bought.first_payment_id = Some(paid.id);
        bought.first_payment_date = Some(paid.payment_date);
    } else if is_over_limit(&terms, &before, paid.payment_date) {
        return nothing(DecisionReason::RecurringLimit);
    }
    if matches!(line, Line::NoSuchCurrency) {
        let warning = Warning::NoFlatAmount { terms_number: terms.number, currency: paid.currency };
        no_flat_item(work, paid, warning);
        return (Verdict(Decision::Nothing, DecisionReason::NoFlatAmount), Some(warning));
    }
    if commission::amount_of(&line, paid.amount) == 0 && !is_test_product {
        return nothing(DecisionReason::EarnsNothing);
    }
    commission::of_payment(work, paid, lead.id, &enrollment, &terms, first, &line);
    earned(if first { DecisionReason::ReferralRate } else { DecisionReason::RecurringRate })
}

/// Months: the payment's date is not before the first one's plus n calendar months. Payments: n came
/// after the first already.
fn is_over_limit(terms: &Terms, before: &Purchase, date: Day) -> bool {
    match terms.recurring_limit {
        RecurringLimit::None => false,
        RecurringLimit::Months => {
            let months = u32::try_from(terms.recurring_count).unwrap_or(0);
            before.first_payment_date.is_some_and(|first| date >= first.plus_months(months))
        }
        RecurringLimit::Payments => before.decided > terms.recurring_count,
    }
}

fn no_flat_item(work: &mut Work, paid: &Paid, warning: Warning) {
    let id = work.id();
    work.writes.inbox.push(NewInboxItem {
        id,
        business_id: paid.business_id,
        campaign_id: paid.campaign_id,
        kind: InboxKind::NoFlatAmount,
        cause: format!("flat:{}", paid.id),
        detail: json!({ "why": warning.sentence(), "currency": paid.currency.code(), "email": paid.email }),
        lead_id: paid.lead_id,
        payment_id: Some(paid.id),
        referrer_id: None,
        touch_id: None,
    });
}

/// Payments that came before their lead, or before its address was known, now belong to it; answers which,
/// in (paymentDate, position) order.
pub fn attach_waiting(work: &mut Work, lead_id: LeadId) -> Vec<PaymentId> {
    let Some(lead) = work.facts.leads.get(&lead_id).cloned() else { return Vec::new() };
    let Some(email) = lead.email_key.clone().filter(|_| lead.duplicate_of.is_none()) else { return Vec::new() };
    let why = match lead.referrer_id {
        Some(_) => DecisionReason::BeforeItsAddress,
        None => DecisionReason::NoReferrer,
    };
    let theirs = |p: &&Paid| {
        p.lead_id.is_none() && p.campaign_id == lead.campaign_id && p.test == lead.test && p.email_key == email
    };
    let mut orphans: Vec<(Day, PaymentId)> =
        work.facts.payments.values().filter(theirs).map(|p| (p.payment_date, p.id)).collect();
    orphans.sort_unstable();
    for (_, id) in &orphans {
        if let Some(paid) = work.payment_mut(*id) {
            paid.lead_id = Some(lead_id);
            paid.decision_why = why;
            let paid = paid.clone();
            attribution::count_revenue(work, &paid, paid.left());
        }
    }
    orphans.into_iter().map(|(_, id)| id).collect()
}

/// A lead's payments that are not decided yet, in (paymentDate, position) order.
pub fn waiting_of(work: &Work, lead_id: LeadId) -> Vec<Paid> {
    let waits = |p: &&Paid| p.lead_id == Some(lead_id) && p.decision == Decision::Waiting;
    let mut waiting: Vec<Paid> = work.facts.payments.values().filter(waits).cloned().collect();
    waiting.sort_by_key(|p| (p.payment_date, p.id));
    waiting
}

/// True when a payment earns at once as an event attributes its lead.
pub fn is_recent(work: &Work, paid: &Paid) -> bool {
    paid.received_at >= work.now.plus_seconds(-AT_ONCE).micros()
}

/// Offers a lead's waiting payments to a person, who sees what they would earn before they do.
pub fn offer_waiting(work: &mut Work, lead_id: LeadId) {
    let waiting = waiting_of(work, lead_id);
    let Some(lead) = work.facts.leads.get(&lead_id).filter(|l| l.referrer_id.is_some()).cloned() else { return };
    let Some(newest) = waiting.iter().map(|p| p.id).max() else { return };
    let id = work.id();
    work.writes.inbox.push(NewInboxItem {
        id,
        business_id: lead.business_id,
        campaign_id: lead.campaign_id,
        kind: InboxKind::OlderPayments,
        cause: format!("older:{lead_id}:{}", lead.touch_id.unwrap_or_default()),
        // Tells one lot of payments from the next: a closed item opens again for another one.
        detail: json!({ "count": waiting.len(), "newest": newest }),
        lead_id: Some(lead_id),
        payment_id: None,
        referrer_id: lead.referrer_id,
        touch_id: lead.touch_id,
    });
}
