//! The facts behind a trace, and the one place where they lose their names.

use super::store::{self, EntryRow, ItemRow, RuleRow};
use crate::commissions::{self, CommissionRow, DecisionRow};
use crate::db::{Conn, DbResult};
use crate::leads::one::{self, PaymentRow, RefundRow, TouchRow};
use crate::leads::{LeadRow, rows as leads};
use crate::payout_details::Offered;
use crate::payouts::{self, LineRow, PayoutRow};
use crate::products::TermsRow;

/// The names that a stranger reads.
const CUSTOMER: &str = "the customer";
const REFERRER: &str = "the referrer";
const ANOTHER: &str = "another referrer";

/// The facts behind a commission.
pub struct OfCommission {
    pub c: CommissionRow,
    pub lead: LeadRow,
    pub touches: Vec<TouchRow>,
    /// None of a reward.
    pub payment: Option<PaymentRow>,
    pub terms: Option<TermsRow>,
    pub refunds: Vec<RefundRow>,
    pub entries: Vec<EntryRow>,
    pub decisions: Vec<DecisionRow>,
    /// The ways of paying of its campaign.
    pub offered: Offered,
}

impl OfCommission {
    pub async fn read(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<Self>> {
        let Some(c) = commissions::by_id(conn, business_id, id).await? else { return Ok(None) };
        let Some(lead) = leads::by_id(conn, business_id, c.lead_id).await? else { return Ok(None) };
        let payment = match c.payment_id {
            Some(payment) => one::payment(conn, c.lead_id, payment).await?,
            None => None,
        };
        let refunded: Vec<i64> = payment.iter().filter(|y| y.refunded > 0).map(|y| y.id).collect();
        Ok(Some(Self {
            touches: one::touches(conn, lead.id).await?,
            terms: store::terms(conn, c.id).await?,
            refunds: one::refunds(conn, &refunded).await?,
            entries: store::entries(conn, c.id).await?,
            decisions: commissions::decisions(conn, &c).await?,
            offered: payouts::offered(conn, c.campaign_id).await?,
            payment,
            lead,
            c,
        }))
    }

    pub fn hide(&mut self) {
        hide_lead(&mut self.lead);
        hide_touches(&mut self.touches, Some(self.c.referrer_id));
        hide_commission(&mut self.c);
        self.payment.iter_mut().for_each(hide_payment);
        for decision in &mut self.decisions {
            decision.reason = None;
            decision.actor.clear();
        }
        self.entries.iter_mut().for_each(|entry| entry.reason = None);
    }
}

/// The facts behind a lead.
pub struct OfLead {
    pub lead: LeadRow,
    pub rule: RuleRow,
    pub touches: Vec<TouchRow>,
    pub payments: Vec<PaymentRow>,
    pub commissions: Vec<CommissionRow>,
}

impl OfLead {
    pub async fn read(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<Self>> {
        let Some(lead) = leads::by_id(conn, business_id, id).await? else { return Ok(None) };
        let Some(rule) = store::rule(conn, lead.campaign_id).await? else { return Ok(None) };
        let mut payments = one::payments(conn, id).await?;
        payments.reverse();
        let mut earned = commissions::of_lead(conn, id).await?;
        earned.reverse();
        Ok(Some(Self { touches: one::touches(conn, id).await?, payments, commissions: earned, rule, lead }))
    }

    pub fn hide(&mut self) {
        hide_touches(&mut self.touches, self.lead.referrer_id);
        hide_lead(&mut self.lead);
        self.payments.iter_mut().for_each(hide_payment);
        self.commissions.iter_mut().for_each(hide_commission);
    }

    /// A commission that stands.
    pub fn earned(&self) -> bool {
        self.commissions.iter().any(|c| c.state != "void")
    }
}

/// The facts behind a payout's line.
pub struct OfLine {
    pub line: LineRow,
    pub payout: PayoutRow,
    pub items: Vec<ItemRow>,
    pub more_items: bool,
}

/// Items of a line that are told one by one.
const ITEMS: usize = 200;

impl OfLine {
    pub async fn read(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<Self>> {
        let Some(line) = payouts::line(conn, business_id, id).await? else { return Ok(None) };
        let Some(payout) = payouts::find(conn, business_id, line.payout_id).await? else { return Ok(None) };
        let mut items = store::items(conn, id, ITEMS + 1).await?;
        let more_items = items.len() > ITEMS;
        items.truncate(ITEMS);
        Ok(Some(Self { line, payout, items, more_items }))
    }

    pub fn hide(&mut self) {
        self.line.referrer = REFERRER.to_owned();
        self.line.email = None;
        self.line.details = None;
        self.line.reason = None;
        self.line.reference = None;
        self.payout.note = None;
        self.payout.made_by.clear();
        self.payout.locked_by = None;
        self.payout.approved_by = None;
        self.payout.campaign = None;
        for item in &mut self.items {
            item.lead = item.lead.as_ref().map(|_| CUSTOMER.to_owned());
            item.reason = None;
        }
    }
}

fn hide_lead(lead: &mut LeadRow) {
    lead.name = CUSTOMER.to_owned();
    (lead.email, lead.phone, lead.code) = (lead.email.as_ref().map(|_| String::new()), None, None);
}

/// The claims of the referrer whom it is about keep their code; those of others keep nothing.
fn hide_touches(touches: &mut [TouchRow], referrer_id: Option<i64>) {
    for t in touches {
        let own = referrer_id.is_some() && t.referrer_id == referrer_id;
        t.referrer = t.referrer.as_ref().map(|_| if own { REFERRER } else { ANOTHER }.to_owned());
        t.code = t.code.take().filter(|_| own);
        (t.reason, t.user_name) = (None, None);
    }
}

fn hide_payment(payment: &mut PaymentRow) {
    payment.email.clear();
}

fn hide_commission(c: &mut CommissionRow) {
    c.lead = CUSTOMER.to_owned();
    c.referrer = REFERRER.to_owned();
    c.reason = None;
}
