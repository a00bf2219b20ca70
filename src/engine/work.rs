//! One slice in progress: the facts as they are by now, and what has been decided, ready to be written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::facts::{Cancelled, Commission, CustomerReward, Facts, Lead, Paid, RefundRow, SignedUp};
use super::ids::{
    AdjustmentId, BusinessId, CampaignId, CodeId, CommissionId, EnrollmentId, InboxItemId, LeadId, LineId, PaymentId,
    ProductId, ReferrerId, RefundId, TouchId, UserId,
};
use super::message::{Message, News};
use super::state::{Account, ClaimRefusal, CommissionState, EntryKind, InboxKind, InboxState, TouchKind};
use super::subjects::Named;
use crate::audit::NewEntry;
use crate::clock::{Day, Instant};
use crate::counters;
use crate::leads::fields::LeadFact;
use crate::money::Currency;

#[derive(Debug)]
pub struct Touch {
    pub id: TouchId,
    pub business_id: BusinessId,
    pub lead_id: LeadId,
    pub kind: TouchKind,
    pub code_id: Option<CodeId>,
    pub code_text: Option<String>,
    pub referrer_id: Option<ReferrerId>,
    pub enrollment_id: Option<EnrollmentId>,
    pub refused: Option<ClaimRefusal>,
    pub reason: Option<String>,
    pub user_id: Option<UserId>,
}

#[derive(Debug)]
pub struct Entry {
    pub id: i64,
    pub business_id: BusinessId,
    pub referrer_id: ReferrerId,
    pub currency: Currency,
    pub account: Account,
    pub amount: i64,
    pub kind: EntryKind,
    pub commission_id: Option<CommissionId>,
    pub adjustment_id: Option<AdjustmentId>,
    pub line_id: Option<LineId>,
    pub day: Day,
}

/// A part of a committed commission that is taken back.
#[derive(Debug)]
pub struct ClawBack {
    pub id: AdjustmentId,
    pub commission_id: CommissionId,
    /// Above 0.
    pub amount: i64,
}

#[derive(Debug)]
pub struct NewInboxItem {
    pub id: InboxItemId,
    pub business_id: BusinessId,
    pub campaign_id: CampaignId,
    pub kind: InboxKind,
    /// Tells one reason to ask from another: the same again is counted on the item.
    pub cause: String,
    pub detail: Json,
    pub lead_id: Option<LeadId>,
    pub payment_id: Option<PaymentId>,
    pub referrer_id: Option<ReferrerId>,
    pub touch_id: Option<TouchId>,
}

/// The state after the slice of an inbox item that was open or dismissed.
#[derive(Debug)]
pub struct ItemEnd {
    /// As the database has it.
    pub before: InboxState,
    pub state: InboxState,
    pub outcome: Option<String>,
    pub user_id: Option<UserId>,
}

/// The decisions of the slice, ready to be written set-wise.
#[derive(Debug, Default)]
pub struct Writes {
    pub new_leads: BTreeSet<LeadId>,
    /// Each as it was loaded.
    pub changed_leads: BTreeMap<LeadId, Lead>,
    pub touches: Vec<Touch>,
    /// Touches that counted until something was known of them.
    pub refused_touches: BTreeMap<TouchId, ClaimRefusal>,
    pub new_sign_ups: Vec<SignedUp>,
    pub new_payments: BTreeSet<PaymentId>,
    pub payment_names: Vec<(Named, PaymentId)>,
    pub changed_payments: BTreeSet<PaymentId>,
    /// Those of them whose dispute began or ended.
    pub marked_payments: BTreeSet<PaymentId>,
    pub new_refunds: BTreeSet<RefundId>,
    pub refund_names: Vec<(Named, RefundId)>,
    /// Parked ones that were decided.
    pub decided_refunds: BTreeSet<RefundId>,
    pub cancellations: Vec<Cancelled>,
    pub purchases: BTreeSet<(LeadId, ProductId)>,
    pub new_commissions: BTreeSet<CommissionId>,
    /// Each with its version as it was loaded: a payout may take one at any moment.
    pub changed_commissions: BTreeMap<CommissionId, i64>,
    pub claw_backs: Vec<ClawBack>,
    /// By lead.
    pub new_customer_rewards: BTreeSet<LeadId>,
    /// Each with its version as it was loaded: staff may give one at any moment.
    pub changed_customer_rewards: BTreeMap<LeadId, i64>,
    /// The amounts that refunds took off earlier commissions.
    pub reduced: BTreeMap<CommissionId, i64>,
    /// Approved commissions whose amount a dispute, or its end, moved, and to which account.
    pub moved: BTreeMap<CommissionId, Account>,
    pub entries: Vec<Entry>,
    pub inbox: Vec<NewInboxItem>,
    /// Each item once, however often the slice closed it and opened it again.
    pub items: BTreeMap<InboxItemId, ItemEnd>,
    pub audit: Vec<NewEntry>,
    pub messages: Vec<Message>,
    /// (scope, name, day) to the change.
    pub counters: BTreeMap<(i64, String, String), i64>,
    /// The codes and enrollments among the scopes.
    pub figures: BTreeSet<i64>,
    /// Enrollments that have another last lead and, since it came by a code of another campaign, no other count.
    pub last_leads: BTreeSet<i64>,
    /// Duplicates that become part of their primaries: touches and payments go along.
    pub merged: Vec<(LeadId, LeadId)>,
}

/// When a row is changed, for its version: later than before, whatever the clocks of nodes say.
fn newer(now: Instant, before: i64) -> i64 {
    now.micros().max(before + 1)
}

/// One slice in progress: facts, writes, the time and the ids it may use.
pub struct Work {
    pub facts: Facts,
    pub writes: Writes,
    pub now: Instant,
    ids: std::ops::Range<i64>,
    ran_out: bool,
}

impl Work {
    pub fn new(facts: Facts, now: Instant, ids: std::ops::Range<i64>) -> Self {
        Self { facts, writes: Writes::default(), now, ids, ran_out: false }
    }

    /// The next id of the run. When it is used up the slice is run again with a longer one, so the
    /// number given then is never written.
    pub fn id<T: From<i64>>(&mut self) -> T {
        let id = self.ids.next().unwrap_or_else(|| {
            self.ran_out = true;
            0
        });
        T::from(id)
    }

    /// The ids that were not used.
    pub fn ids_left(&self) -> std::ops::Range<i64> {
        self.ids.clone()
    }

    pub fn ran_out(&self) -> bool {
        self.ran_out
    }

    pub fn today(&self, business_id: BusinessId) -> Day {
        self.facts.zone(business_id).day_of(self.now)
    }

    /// A lead to change; it will be written.
    pub fn lead_mut(&mut self, id: LeadId) -> Option<&mut Lead> {
        let lead = self.facts.leads.get_mut(&id)?;
        if !self.writes.new_leads.contains(&id) && !self.writes.changed_leads.contains_key(&id) {
            self.writes.changed_leads.insert(id, lead.clone());
            lead.updated_at = newer(self.now, lead.updated_at);
        }
        Some(lead)
    }

    pub fn commission_mut(&mut self, id: CommissionId) -> Option<&mut Commission> {
        let commission = self.facts.commissions.get_mut(&id)?;
        if !self.writes.new_commissions.contains(&id) && !self.writes.changed_commissions.contains_key(&id) {
            self.writes.changed_commissions.insert(id, commission.updated_at);
            commission.updated_at = newer(self.now, commission.updated_at);
        }
        Some(commission)
    }

    pub fn customer_reward_mut(&mut self, lead_id: LeadId) -> Option<&mut CustomerReward> {
        let reward = self.facts.customer_rewards.get_mut(&lead_id)?;
        if !self.writes.new_customer_rewards.contains(&lead_id)
            && !self.writes.changed_customer_rewards.contains_key(&lead_id)
        {
            self.writes.changed_customer_rewards.insert(lead_id, reward.updated_at);
            reward.updated_at = newer(self.now, reward.updated_at);
        }
        Some(reward)
    }

    pub fn payment_mut(&mut self, id: PaymentId) -> Option<&mut Paid> {
        let payment = self.facts.payments.get_mut(&id)?;
        if !self.writes.new_payments.contains(&id) {
            self.writes.changed_payments.insert(id);
        }
        Some(payment)
    }

    /// Gives a payment a name; false where a payment has it already.
    pub fn name_payment(&mut self, name: Named, id: PaymentId) -> bool {
        if self.facts.payment_by_name.contains_key(&name) {
            return false;
        }
        self.facts.payment_by_name.insert(name.clone(), id);
        self.writes.payment_names.push((name, id));
        true
    }

    /// A parked refund to decide.
    pub fn refund_mut(&mut self, id: RefundId) -> Option<&mut RefundRow> {
        let refund = self.facts.refunds.get_mut(&id)?;
        if !self.writes.new_refunds.contains(&id) {
            self.writes.decided_refunds.insert(id);
        }
        Some(refund)
    }

    /// A touch stops counting.
    pub fn refuse_touch(&mut self, id: TouchId, why: ClaimRefusal) {
        match self.writes.touches.iter_mut().find(|t| t.id == id) {
            Some(new) => new.refused = Some(why),
            None => {
                self.writes.refused_touches.insert(id, why);
            }
        }
    }

    /// Closes an inbox item, or opens it again.
    pub fn end_item(&mut self, id: InboxItemId, state: InboxState, outcome: Option<&str>, user_id: Option<UserId>) {
        let Some(item) = self.facts.inbox.get_mut(&id) else { return };
        let before = self.writes.items.get(&id).map_or(item.state, |end| end.before);
        item.state = state;
        self.writes.items.insert(id, ItemEnd { before, state, outcome: outcome.map(str::to_owned), user_id });
    }

    /// Counts, for a day and for ever. Test rows are never counted.
    pub fn count(&mut self, scope: impl Into<CountScope>, name: impl Into<String>, day: Option<Day>, by: i64) {
        let (scope, name) = (scope.into(), name.into());
        if let CountScope::Figures(scope) = scope {
            self.writes.figures.insert(scope);
        }
        let scope = scope.id();
        if let Some(day) = day {
            *self.writes.counters.entry((scope, name.clone(), day.to_string())).or_default() += by;
        }
        *self.writes.counters.entry((scope, name, String::new())).or_default() += by;
    }

    /// Counts for lists by page number, under the day somebody came.
    pub fn count_came(&mut self, scope: impl Into<CountScope>, name: &str, created_at: i64, by: i64) {
        let scope = scope.into().id();
        for day in [counters::came(created_at), String::new()] {
            *self.writes.counters.entry((scope, name.to_owned(), day)).or_default() += by;
        }
    }

    /// Counts what lists by page number report, when everything is decided: a lead as it was loaded against
    /// the lead as it is now, whichever event changed it.
    pub fn count_listed(&mut self) {
        let mut listed: Vec<(BusinessId, String, i64)> = Vec::new();
        let mut note = |lead: &Lead, by: i64| {
            if !lead.test && lead.archived_at.is_none() {
                listed.push((lead.business_id, counters::listed(lead.status.word()), by));
                let source = lead.facts[LeadFact::Source].as_ref();
                let of_source = source.map(|source| counters::listed_from(lead.status.word(), source));
                listed.extend(of_source.map(|name| (lead.business_id, name, by)));
            }
        };
        for (id, before) in &self.writes.changed_leads {
            let Some(after) = self.facts.leads.get(id) else { continue };
            let counted = |l: &Lead| (l.status, l.facts[LeadFact::Source].clone(), l.archived_at.is_none());
            if counted(before) != counted(after) {
                note(before, -1);
                note(after, 1);
            }
        }
        for lead in self.writes.new_leads.iter().filter_map(|id| self.facts.leads.get(id)) {
            note(lead, 1);
        }
        for (business_id, name, by) in listed {
            self.count(business_id, name, None, by);
        }
    }

    /// A signed amount on one of a commission's accounts; nothing for 0 or for test rows.
    pub fn post(&mut self, commission_id: CommissionId, account: Account, amount: i64, kind: EntryKind) {
        self.post_for(commission_id, None, account, amount, kind);
    }

    /// Takes a part of a committed commission off what is due.
    pub fn claw_back(&mut self, commission_id: CommissionId, amount: i64) {
        let is_live = self.facts.commissions.get(&commission_id).is_some_and(|c| !c.test);
        if is_live && amount > 0 {
            let id = self.id();
            self.writes.claw_backs.push(ClawBack { id, commission_id, amount });
            self.post_for(commission_id, Some(id), Account::Due, -amount, EntryKind::ClawedBack);
        }
    }

    fn post_for(
        &mut self,
        commission_id: CommissionId,
        adjustment_id: Option<AdjustmentId>,
        account: Account,
        amount: i64,
        kind: EntryKind,
    ) {
        let Some(c) = self.facts.commissions.get(&commission_id) else { return };
        if c.test || amount == 0 {
            return;
        }
        let (business_id, referrer_id, currency) = (c.business_id, c.referrer_id, c.currency);
        let (campaign_id, enrollment_id, day) = (c.campaign_id, c.enrollment_id, self.today(business_id));
        let hold_until = c.hold_until;
        // Its state is changed before an approval is posted, and after everything else.
        let is_pending = match kind {
            EntryKind::Created | EntryKind::Restored | EntryKind::Voided | EntryKind::Refunded => {
                c.state == CommissionState::Pending
            }
            EntryKind::Approved => account == Account::Held,
            _ => false,
        };
        if is_pending {
            let counter = (campaign_id.0, counters::pending(currency), counters::held_to(hold_until));
            *self.writes.counters.entry(counter).or_default() += amount;
        }
        let id = self.id();
        // What moves from one account to another adds up to nothing.
        self.count(enrollment_id, format!("earned.{currency}"), None, amount);
        self.count(campaign_id, format!("money.{account}.{currency}"), None, amount);
        self.writes.entries.push(Entry {
            id,
            business_id,
            referrer_id,
            currency,
            account,
            amount,
            kind,
            commission_id: Some(commission_id),
            adjustment_id,
            line_id: None,
            day,
        });
    }

    /// Writes a message where somebody listens to the business.
    pub fn report(&mut self, business_id: BusinessId, test: bool, news: News) {
        if self.facts.businesses.get(&business_id).is_some_and(|b| b.listens) {
            let id = self.id();
            self.writes.messages.push(Message { id, business_id, test, news });
        }
    }
}

/// The owner of a counter.
#[derive(Debug, Clone, Copy)]
pub enum CountScope {
    /// A business or a campaign.
    Whole(i64),
    /// A code or an enrollment: lists sort by its figures.
    Figures(i64),
}

impl CountScope {
    fn id(self) -> i64 {
        let (Self::Whole(id) | Self::Figures(id)) = self;
        id
    }
}

macro_rules! count_scopes {
    ($($ty:ty => $scope:ident),+) => {$(
        impl From<$ty> for CountScope {
            fn from(id: $ty) -> Self {
                Self::$scope(id.0)
            }
        }
    )+};
}
count_scopes!(BusinessId => Whole, CampaignId => Whole, CodeId => Figures, EnrollmentId => Figures);
