//! What people paid, got back and earned.

use std::collections::{BTreeSet, HashMap};

use super::{COMMISSION, LEAD, LIMIT, MANY, ids};
use crate::db::{Conn, DbResult, sql};
use crate::engine::facts::{Cancelled, Commission, Facts, Lead, Paid, Purchase, RefundRow};
use crate::engine::store::wanted::Wanted;
use crate::rows;

const PAID: &str = "p.id, p.business_id, p.campaign_id, p.product_id, p.test, p.lead_id, p.email, p.email_key, p.amount, p.currency,
    p.subscription_status, p.payment_date, p.identity, p.body_hash, p.decision, p.decision_why, p.repeats, p.disputed_at, p.refunded,
    p.received_at";

const REFUND: &str =
    "f.id, f.business_id, f.campaign_id, f.product_id, f.test, f.email, f.email_key, f.named, f.payment_id, f.asked,
    f.amount, f.currency, f.refund_date, f.identity, f.body_hash, f.state, f.why, f.received_at";

/// The refunds and cancellations that come again, and those that wait for payments of this slice.
pub(super) async fn load_known_refunds(conn: &mut Conn, w: &mut Wanted, facts: &mut Facts) -> DbResult<()> {
    let named = |all: &[(i64, i64, bool, String)]| rows!(all, (b, _, t, n) => { business: *b, test: *t, name: n });
    let mut found: Vec<RefundRow> = Vec::new();
    if !w.refunds.is_empty() {
        let text = format!(
            "SELECT {REFUND} FROM rows($1, business BIGINT, test BOOLEAN, name TEXT) r
               JOIN refunds f ON f.business_id = r.business AND f.test = r.test AND f.identity = r.name"
        );
        found.extend(crate::db::sql_built(text).bind(named(&w.refunds)).all::<RefundRow>(conn).await?);
        w.payments.extend(found.iter().filter_map(|f| f.payment_id));
    }
    let waits = |b: &i64| facts.businesses.get(b).is_some_and(|b| b.parked);
    w.parked.retain(|(business, ..)| waits(business));
    if !w.parked.is_empty() {
        let text = format!(
            "SELECT {REFUND} FROM rows($1, business BIGINT, test BOOLEAN, name TEXT) r
               JOIN refunds f ON f.business_id = r.business AND f.test = r.test AND f.named = r.name AND f.state = 'parked'"
        );
        found.extend(crate::db::sql_built(text).bind(named(&w.parked)).all::<RefundRow>(conn).await?);
    }
    found.into_iter().for_each(|f| facts.add_refund(f));
    if !w.cancellations.is_empty() {
        let known: Vec<Cancelled> =
            sql("SELECT c.id, c.business_id, c.product_id, c.test, c.lead_id, c.day, c.identity, c.body_hash
                   FROM rows($1, business BIGINT, test BOOLEAN, name TEXT) r
                   JOIN cancellations c ON c.business_id = r.business AND c.test = r.test AND c.identity = r.name")
            .bind(named(&w.cancellations))
            .all(conn)
            .await?;
        let identity = |c: &Cancelled| (c.business_id, c.test, c.identity.clone());
        facts.cancellations = known.into_iter().map(|c| (identity(&c), c)).collect();
    }
    Ok(())
}

/// What was given back before of the payments that refunds of this slice may be of, or that come again: these
/// are answered what they were told at first.
pub(super) async fn load_refunds(conn: &mut Conn, w: &Wanted, facts: &mut Facts) -> DbResult<()> {
    let refunded: BTreeSet<i64> = facts.payments.values().filter(|p| p.refunded > 0).map(|p| p.id).collect();
    let asked = w.refunding || !w.identities.is_empty() || !w.dates.is_empty();
    if !asked || refunded.is_empty() {
        return Ok(());
    }
    let text = format!(
        "SELECT {REFUND} FROM rows($1, id BIGINT) r JOIN refunds f ON f.payment_id = r.id WHERE f.payment_id IS NOT NULL"
    );
    for refund in crate::db::sql_built(text).bind(ids(&refunded)).all::<RefundRow>(conn).await? {
        facts.add_refund(refund);
    }
    Ok(())
}

/// The leads of those payments: their contacts are locked, and one of them may be who the refund names.
pub(super) async fn load_payers(conn: &mut Conn, w: &Wanted, facts: &mut Facts) -> DbResult<()> {
    let leads = facts.payments.values().filter_map(|p| p.lead_id).filter(|id| !facts.leads.contains_key(id));
    let missing: BTreeSet<i64> = leads.collect();
    if !w.refunding || missing.is_empty() {
        return Ok(());
    }
    let text = format!("SELECT {LEAD} FROM rows($1, id BIGINT) r JOIN leads l ON l.id = r.id");
    for lead in crate::db::sql_built(text).bind(ids(&missing)).all::<Lead>(conn).await? {
        facts.add_lead(lead);
    }
    Ok(())
}

pub(super) async fn load_payments(conn: &mut Conn, w: &mut Wanted, facts: &mut Facts) -> DbResult<()> {
    let mut found: HashMap<i64, Paid> = HashMap::new();
    let mut add = |rows: Vec<Paid>| found.extend(rows.into_iter().map(|p| (p.id, p)));
    if !w.identities.is_empty() {
        let table = rows!(&w.identities, (b, _, t, id) => { business: *b, test: *t, identity: id });
        let text = format!(
            "SELECT {PAID} FROM rows($1, business BIGINT, test BOOLEAN, identity TEXT) r
               JOIN payments p ON p.business_id = r.business AND p.test = r.test AND p.identity = r.identity"
        );
        add(crate::db::sql_built(text).bind(table).all(conn).await?);
    }
    if !w.dates.is_empty() {
        let of = |product: &i64| facts.products.get(product).map_or(0, |p| p.campaign_id);
        let table = rows!(&w.dates, (p, t, k, d) => { campaign: of(p), product: *p, test: *t, contact: k, day: d });
        let text = format!(
            "SELECT {PAID} FROM rows($1, campaign BIGINT, product BIGINT, test BOOLEAN, contact TEXT, day TEXT) r
               JOIN payments p ON p.campaign_id = r.campaign AND p.test = r.test AND p.email_key = r.contact AND p.payment_date = r.day
              WHERE p.product_id = r.product"
        );
        add(crate::db::sql_built(text).bind(table).all(conn).await?);
    }
    let of_lead = |(product, test, email, day): &(i64, bool, String, String)| {
        let campaign = facts.products.get(product)?.campaign_id;
        Some((facts.find_lead(campaign, *test, Some(email), None)?, day.clone()))
    };
    let days: BTreeSet<(i64, String)> = w.refund_days.iter().filter_map(of_lead).collect();
    if !days.is_empty() {
        let table = rows!(&days, (lead, day) => { lead: *lead, day: day });
        let text = format!(
            "SELECT {PAID} FROM rows($1, lead BIGINT, day TEXT) r
               JOIN payments p ON p.lead_id = r.lead AND p.payment_date = r.day WHERE p.lead_id IS NOT NULL"
        );
        add(crate::db::sql_built(text).bind(table).all(conn).await?);
    }
    if !w.orphans.is_empty() {
        let table = rows!(&w.orphans, (c, t, k) => { campaign: *c, test: *t, contact: k });
        let text = format!(
            "SELECT {PAID} FROM rows($1, campaign BIGINT, test BOOLEAN, contact TEXT) r
               JOIN payments p ON p.campaign_id = r.campaign AND p.test = r.test AND p.email_key = r.contact
              WHERE p.lead_id IS NULL ORDER BY p.payment_date, p.id {LIMIT}"
        );
        let orphans: Vec<Paid> = crate::db::sql_built(text).bind(table).all(conn).await?;
        facts.is_part |= orphans.len() > MANY;
        add(orphans);
    }
    let mut named: BTreeSet<i64> = facts.commissions.values().filter_map(|c| c.payment_id).collect();
    named.extend(&w.payments);
    if !named.is_empty() {
        // Whether they are disputed decides, however long the lead's history is.
        let text = format!("SELECT {PAID} FROM rows($1, id BIGINT) r JOIN payments p ON p.id = r.id");
        add(crate::db::sql_built(text).bind(ids(&named)).all(conn).await?);
    }
    if !w.deep.is_empty() {
        let text = format!(
            "SELECT {PAID} FROM rows($1, id BIGINT) r JOIN payments p ON p.lead_id = r.id ORDER BY p.payment_date, p.id {LIMIT}"
        );
        let theirs: Vec<Paid> = crate::db::sql_built(text).bind(ids(&w.deep)).all(conn).await?;
        facts.is_part |= theirs.len() > MANY;
        add(theirs);
    }
    for paid in found.into_values() {
        facts.add_payment(paid);
    }
    Ok(())
}

pub(super) async fn load_purchases(conn: &mut Conn, leads: &BTreeSet<i64>, facts: &mut Facts) -> DbResult<()> {
    if leads.is_empty() || facts.products.is_empty() {
        return Ok(());
    }
    let found: Vec<Purchase> = sql(
        "SELECT p.lead_id, p.product_id, p.first_payment_id, p.first_payment_date, p.decided, p.subscription_status, p.paid_on, p.cancelled_on
           FROM rows($1, id BIGINT) r JOIN purchases p ON p.lead_id = r.id",
    )
    .bind(ids(leads))
    .all(conn)
    .await?;
    facts.purchases = found.into_iter().map(|p| ((p.lead_id, p.product_id), p)).collect();
    Ok(())
}

pub(super) async fn load_commissions(conn: &mut Conn, w: &Wanted, facts: &mut Facts) -> DbResult<()> {
    let mut found: Vec<Commission> = Vec::new();
    // The answer to a repeated payment tells what the first one earned.
    let payments: BTreeSet<i64> = facts.payments.values().filter(|p| p.decision == "earned").map(|p| p.id).collect();
    if !payments.is_empty() {
        let text = format!(
            "SELECT {COMMISSION} FROM rows($1, id BIGINT) r JOIN commissions c ON c.payment_id = r.id WHERE c.payment_id IS NOT NULL"
        );
        found.extend(crate::db::sql_built(text).bind(ids(&payments)).all::<Commission>(conn).await?);
    }
    if !w.deep.is_empty() {
        let text = format!(
            "SELECT {COMMISSION} FROM rows($1, id BIGINT) r JOIN commissions c ON c.lead_id = r.id WHERE c.kind <> 'reward' ORDER BY c.id {LIMIT}"
        );
        let theirs: Vec<Commission> = crate::db::sql_built(text).bind(ids(&w.deep)).all(conn).await?;
        facts.is_part |= theirs.len() > MANY;
        found.extend(theirs);
    }
    // A lead has few rewards, and whether one stands decides: they are read whole.
    let mut leads: BTreeSet<i64> = w.deep.union(&w.leads).copied().collect();
    leads.extend(facts.leads.values().filter(|l| rewards(facts, l)).map(|l| l.id));
    if !leads.is_empty() {
        let text = format!(
            "SELECT {COMMISSION} FROM rows($1, id BIGINT) r JOIN commissions c ON c.lead_id = r.id WHERE c.kind = 'reward'"
        );
        found.extend(crate::db::sql_built(text).bind(ids(&leads)).all::<Commission>(conn).await?);
    }
    facts.commissions.extend(found.into_iter().map(|c| (c.id, c)));
    Ok(())
}

/// Whether this lead's campaign pays for qualifications, so that its reward has to be known.
fn rewards(facts: &Facts, lead: &Lead) -> bool {
    facts.campaigns.get(&lead.campaign_id).is_some_and(|c| !matches!(c.reward.trim(), "" | "{}"))
}
