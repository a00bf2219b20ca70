//! Payments, refunds and commissions of the people of a slice.

use std::collections::{BTreeSet, HashMap};

use super::{LIMIT, MANY, ids, leads};
use crate::db::{Conn, DbResult, FromDb, Row, Table, sql, sql_built};
use crate::engine::facts::{Cancelled, Commission, CustomerReward, Facts, Lead, Paid, Purchase, RefundRow};
use crate::engine::ids::{LeadId, PaymentId, ReferrerId};
use crate::engine::names::{PaymentName, SoughtBy};
use crate::engine::state::Decision;
use crate::engine::subjects::{Identified, Named, Subjects};
use crate::rows;

const PAID: &str =
    "p.id, p.business_id, p.campaign_id, p.product_id, p.test, p.lead_id, p.email, p.email_key, p.amount,
                p.currency, p.subscription_status, p.payment_date, p.body_hash, p.decision, p.decision_why,
                p.repeats, p.disputed_at, p.refunded, p.received_at";

const REFUND: &str = "f.id, f.business_id, f.campaign_id, f.product_id, f.test, f.email, f.email_key,
                f.payment_id, f.asked, f.amount, f.currency, f.refund_date, f.identity, f.body_hash, f.state, f.why,
                f.received_at";

const COMMISSION: &str = "c.id, c.business_id, c.campaign_id, c.test, c.kind, c.product_id, c.payment_id, c.lead_id,
                c.referrer_id, c.enrollment_id, c.terms_id, c.terms_number, c.rate, c.flat, c.base_amount, c.amount,
                c.currency, c.hold_days, c.hold_until, c.state, c.void_cause, c.reason, c.released, c.reversed_at,
                c.taken_back, c.line_id, c.created_at, c.updated_at";

/// A row, and the name it was found by.
struct ByName<T> {
    name: PaymentName,
    row: T,
}

impl<T: FromDb> FromDb for ByName<T> {
    fn from_db(row: &Row<'_>) -> DbResult<Self> {
        Ok(Self { name: row.get("name")?, row: T::from_db(row)? })
    }
}

fn identified(all: &BTreeSet<Identified>) -> Table {
    rows!(all, (b, t, identity) => { business: *b, test: *t, identity: identity })
}

pub fn named(all: &BTreeSet<Named>) -> Table {
    rows!(all, (b, t, name) => { business: *b, test: *t, name: name })
}

pub async fn load_named_commissions(conn: &mut Conn, about: &mut Subjects, facts: &mut Facts) -> DbResult<()> {
    if about.commissions.is_empty() {
        return Ok(());
    }
    let text = format!(
        "SELECT {COMMISSION}
           FROM rows($1, id BIGINT) r
           JOIN commissions c ON c.id = r.id"
    );
    for c in sql_built(text).bind(ids(&about.commissions)).all::<Commission>(conn).await? {
        about.leads.insert(c.lead_id);
        about.enrollments.insert(c.enrollment_id);
        facts.commissions.insert(c.id, c);
    }
    Ok(())
}

/// The refunds and cancellations that come again, and those that wait for payments of this slice.
pub async fn load_known_refunds(conn: &mut Conn, about: &mut Subjects, facts: &mut Facts) -> DbResult<()> {
    let mut found: Vec<RefundRow> = Vec::new();
    if !about.refunds.is_empty() {
        let text = format!(
            "SELECT {REFUND}
               FROM rows($1, business BIGINT, test BOOLEAN, identity TEXT) r
               JOIN refunds f ON f.business_id = r.business
                AND f.test = r.test
                AND f.identity = r.identity"
        );
        found.extend(sql_built(text).bind(identified(&about.refunds)).all::<RefundRow>(conn).await?);
        about.payments.extend(found.iter().filter_map(|f| f.payment_id));
    }
    about.waited_for.retain(|(business, ..)| facts.businesses.get(business).is_some_and(|b| b.parked));
    if !about.waited_for.is_empty() {
        let text = format!(
            "SELECT n.name, {REFUND}
               FROM rows($1, business BIGINT, test BOOLEAN, name TEXT) r
               JOIN refund_names n ON n.business_id = r.business
                AND n.test = r.test
                AND n.name = r.name
               JOIN refunds f ON f.id = n.refund_id
              WHERE f.state = 'parked'"
        );
        for waits in sql_built(text).bind(named(&about.waited_for)).all::<ByName<RefundRow>>(conn).await? {
            facts.waits_for.entry(waits.row.id).or_default().insert(waits.name);
            found.push(waits.row);
        }
    }
    found.into_iter().for_each(|f| facts.add_refund(f));
    if !about.cancellations.is_empty() {
        let known: Vec<Cancelled> =
            sql("SELECT c.id, c.business_id, c.product_id, c.test, c.lead_id, c.day, c.identity,
                c.body_hash
               FROM rows($1, business BIGINT, test BOOLEAN, identity TEXT) r
               JOIN cancellations c ON c.business_id = r.business AND c.test = r.test AND c.identity = r.identity")
            .bind(identified(&about.cancellations))
            .all(conn)
            .await?;
        let identity = |c: &Cancelled| (c.business_id, c.test, c.identity.clone());
        facts.cancellations = known.into_iter().map(|c| (identity(&c), c)).collect();
    }
    Ok(())
}

/// Earlier refunds of the payments that refunds of this slice may be of, and refunds that come again: the
/// answer to these is the first answer.
pub async fn load_refunds(conn: &mut Conn, about: &Subjects, facts: &mut Facts) -> DbResult<()> {
    let refunded: BTreeSet<PaymentId> = facts.payments.values().filter(|p| p.refunded > 0).map(|p| p.id).collect();
    let asked = about.names_payments() || !about.names.is_empty() || !about.paid_on.is_empty();
    if !asked || refunded.is_empty() {
        return Ok(());
    }
    let text = format!(
        "SELECT {REFUND}
           FROM rows($1, id BIGINT) r
           JOIN refunds f ON f.payment_id = r.id
          WHERE f.payment_id IS NOT NULL"
    );
    for refund in sql_built(text).bind(ids(&refunded)).all::<RefundRow>(conn).await? {
        facts.add_refund(refund);
    }
    Ok(())
}

/// The leads of those payments: their contacts are locked, and one of them may be who the refund names. Their referrers
/// earn again where a refund fails.
pub async fn load_payers(conn: &mut Conn, about: &mut Subjects, facts: &mut Facts) -> DbResult<()> {
    let of_payments = facts.payments.values().filter_map(|p| p.lead_id);
    let missing: BTreeSet<LeadId> = of_payments.filter(|id| !facts.leads.contains_key(id)).collect();
    if about.names_payments() && !missing.is_empty() {
        for lead in leads::read(conn, &missing).await? {
            about.enrollments.extend(lead.enrollment_id.filter(|id| !facts.enrollments.contains_key(id)));
            facts.add_lead(lead);
        }
        super::referrers::load_enrollments(conn, about, facts).await?;
    }
    Ok(())
}

pub async fn load_payments(conn: &mut Conn, about: &Subjects, facts: &mut Facts) -> DbResult<()> {
    let mut found: HashMap<PaymentId, Paid> = HashMap::new();
    let mut add = |rows: Vec<Paid>| found.extend(rows.into_iter().map(|p| (p.id, p)));
    if !about.names.is_empty() {
        let text = format!(
            "SELECT n.name, {PAID}
               FROM rows($1, business BIGINT, test BOOLEAN, name TEXT) r
               JOIN payment_names n ON n.business_id = r.business
                AND n.test = r.test
                AND n.name = r.name
               JOIN payments p ON p.id = n.payment_id"
        );
        let known: Vec<ByName<Paid>> = sql_built(text).bind(named(&about.names)).all(conn).await?;
        for ByName { name, row } in &known {
            facts.payment_by_name.insert((row.business_id, row.test, name.clone()), row.id);
        }
        add(known.into_iter().map(|known| known.row).collect());
    }
    if !about.paid_on.is_empty() {
        let table = rows!(&about.paid_on, (of, email, day) => {
            campaign: of.scope.campaign_id, product: of.product_id, test: of.scope.test, contact: email, day: *day,
        });
        let text = format!(
            "SELECT {PAID}
               FROM rows($1, campaign BIGINT, product BIGINT, test BOOLEAN, contact TEXT, day TEXT) r
               JOIN payments p ON p.campaign_id = r.campaign AND p.test = r.test AND p.email_key = r.contact
                AND p.payment_date = r.day
              WHERE p.product_id = r.product"
        );
        add(sql_built(text).bind(table).all(conn).await?);
    }
    // A refund by day may name the address that the lead has today.
    let of_lead = about.sought.iter().filter_map(|sought| {
        let SoughtBy::Day(of, email_key, day) = &sought.by else { return None };
        Some((facts.find_lead(of.scope, Some(email_key), None)?, *day))
    });
    let days: BTreeSet<_> = of_lead.collect();
    if !days.is_empty() {
        let table = rows!(&days, (lead, day) => { lead: *lead, day: *day });
        let text = format!(
            "SELECT {PAID}
               FROM rows($1, lead BIGINT, day TEXT) r
               JOIN payments p ON p.lead_id = r.lead AND p.payment_date = r.day
              WHERE p.lead_id IS NOT NULL"
        );
        add(sql_built(text).bind(table).all(conn).await?);
    }
    if !about.orphans.is_empty() {
        let table = rows!(&about.orphans, (scope, k) => { campaign: scope.campaign_id, test: scope.test, contact: k });
        let text = format!(
            "SELECT {PAID}
               FROM rows($1, campaign BIGINT, test BOOLEAN, contact TEXT) r
               JOIN payments p ON p.campaign_id = r.campaign AND p.test = r.test AND p.email_key = r.contact
              WHERE p.lead_id IS NULL
              ORDER BY p.payment_date, p.id
              {LIMIT}"
        );
        let orphans: Vec<Paid> = sql_built(text).bind(table).all(conn).await?;
        facts.is_part |= orphans.len() > MANY;
        add(orphans);
    }
    let mut by_id: BTreeSet<PaymentId> = facts.commissions.values().filter_map(|c| c.payment_id).collect();
    by_id.extend(&about.payments);
    if !by_id.is_empty() {
        // Their dispute marks decide, however long the lead's history is.
        let text = format!(
            "SELECT {PAID}
               FROM rows($1, id BIGINT) r
               JOIN payments p ON p.id = r.id"
        );
        add(sql_built(text).bind(ids(&by_id)).all(conn).await?);
    }
    if !about.deep.is_empty() {
        let text = format!(
            "SELECT {PAID}
               FROM rows($1, id BIGINT) r
               JOIN payments p ON p.lead_id = r.id
              ORDER BY p.payment_date, p.id
              {LIMIT}"
        );
        let theirs: Vec<Paid> = sql_built(text).bind(ids(&about.deep)).all(conn).await?;
        facts.is_part |= theirs.len() > MANY;
        add(theirs);
    }
    for paid in found.into_values() {
        facts.add_payment(paid);
    }
    Ok(())
}

pub async fn load_purchases(conn: &mut Conn, leads: &BTreeSet<LeadId>, facts: &mut Facts) -> DbResult<()> {
    if leads.is_empty() || facts.products.is_empty() {
        return Ok(());
    }
    let found: Vec<Purchase> =
        sql("SELECT p.lead_id, p.product_id, p.first_payment_id, p.first_payment_date, p.decided,
                p.subscription_status, p.paid_on, p.cancelled_on
           FROM rows($1, id BIGINT) r
           JOIN purchases p ON p.lead_id = r.id")
        .bind(ids(leads))
        .all(conn)
        .await?;
    facts.purchases = found.into_iter().map(|p| ((p.lead_id, p.product_id), p)).collect();
    Ok(())
}

pub async fn load_commissions(conn: &mut Conn, about: &Subjects, facts: &mut Facts) -> DbResult<()> {
    let mut found: Vec<Commission> = Vec::new();
    // The answer to a repeated payment reports what the first one earned.
    let has_earned = facts.payments.values().filter(|p| p.decision == Decision::Earned);
    let payments: BTreeSet<PaymentId> = has_earned.map(|p| p.id).collect();
    if !payments.is_empty() {
        let text = format!(
            "SELECT {COMMISSION}
               FROM rows($1, id BIGINT) r
               JOIN commissions c ON c.payment_id = r.id
              WHERE c.payment_id IS NOT NULL"
        );
        found.extend(sql_built(text).bind(ids(&payments)).all::<Commission>(conn).await?);
    }
    if !about.deep.is_empty() {
        let text = format!(
            "SELECT {COMMISSION}
               FROM rows($1, id BIGINT) r
               JOIN commissions c ON c.lead_id = r.id
              WHERE c.kind <> 'reward'
              ORDER BY c.id
              {LIMIT}"
        );
        let theirs: Vec<Commission> = sql_built(text).bind(ids(&about.deep)).all(conn).await?;
        facts.is_part |= theirs.len() > MANY;
        found.extend(theirs);
    }
    // A lead has few rewards, and whether one stands decides: they are read whole.
    let mut leads: BTreeSet<LeadId> = about.deep.union(&about.leads).copied().collect();
    leads.extend(facts.leads.values().filter(|l| rewards(facts, l)).map(|l| l.id));
    if !leads.is_empty() {
        let text = format!(
            "SELECT {COMMISSION}
               FROM rows($1, id BIGINT) r
               JOIN commissions c ON c.lead_id = r.id
              WHERE c.kind = 'reward'"
        );
        found.extend(sql_built(text).bind(ids(&leads)).all::<Commission>(conn).await?);
        let voided: Vec<(LeadId, ReferrerId)> = sql("SELECT DISTINCT c.lead_id, c.referrer_id
           FROM rows($1, id BIGINT) r
           JOIN commissions c ON c.lead_id = r.id
          WHERE c.void_cause = 'staff'")
        .bind(ids(&leads))
        .all(conn)
        .await?;
        facts.voided_by_staff.extend(voided);
    }
    facts.commissions.extend(found.into_iter().map(|c| (c.id, c)));
    Ok(())
}

/// The rewards of the slice's customers.
pub async fn load_customer_rewards(conn: &mut Conn, facts: &mut Facts) -> DbResult<()> {
    let rewards = |l: &&Lead| facts.campaigns.get(&l.campaign_id).is_some_and(|c| c.rewards_customers);
    let leads: BTreeSet<LeadId> = facts.leads.values().filter(rewards).map(|l| l.id).collect();
    if leads.is_empty() {
        return Ok(());
    }
    let found: Vec<CustomerReward> = sql("SELECT w.id, w.business_id, w.campaign_id, w.test, w.lead_id, w.kind,
                w.amount, w.currency, w.words, w.hold_until, w.state, w.void_cause, w.created_at, w.updated_at
           FROM rows($1, id BIGINT) r
           JOIN customer_rewards w ON w.lead_id = r.id")
    .bind(ids(&leads))
    .all(conn)
    .await?;
    facts.customer_rewards = found.into_iter().map(|w| (w.lead_id, w)).collect();
    Ok(())
}

/// True when this lead's campaign pays for qualifications, so that its reward has to be known.
fn rewards(facts: &Facts, lead: &Lead) -> bool {
    facts.campaigns.get(&lead.campaign_id).is_some_and(|c| c.rewards())
}
