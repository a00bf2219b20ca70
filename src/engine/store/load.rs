//! Loads the facts of a slice. Every statement takes the whole slice; one with nothing to look for is
//! not sent.

mod money;

use std::collections::BTreeSet;

use money::{load_commissions, load_known_refunds, load_payers, load_payments, load_purchases, load_refunds};

use super::touches::{load_counting, load_touches};
use super::wanted::{Wanted, gather};
use crate::code;
use crate::db::{Conn, DbResult, Table, sql};
use crate::engine::event::{Event, What, paid_on};
use crate::engine::facts::{
    Business, Campaign, Code, Commission, Contactable, Enrollment, Facts, InboxItem, Lead, Product, SignedUp, Terms,
};
use crate::engine::rules::attribution::is_same_person;
use crate::{row, rows};

/// At most so many payments or commissions of one slice's leads are looked at. Where there are more, the
/// facts are only a part: nothing is decided on them.
const MANY: usize = 20_000;

/// One more than is looked at, to see that there are more.
const LIMIT: &str = "LIMIT 20001";

fn ids(set: &BTreeSet<i64>) -> Table {
    rows!(set, id => { id: *id })
}

pub async fn load(conn: &mut Conn, events: &[Event]) -> DbResult<Facts> {
    let mut w = gather(events);
    let mut facts = Facts::default();
    load_items(conn, &mut w, &mut facts).await?;
    load_named_commissions(conn, &mut w, &mut facts).await?;
    load_leads_by_id(conn, &mut w, &mut facts, events).await?;
    load_catalogue(conn, &mut w, &mut facts).await?;
    place_people(&mut w, &facts);
    load_leads_by_contact(conn, &mut w, &mut facts).await?;
    load_codes(conn, &mut w, &mut facts).await?;
    load_enrollments(conn, &mut w, &mut facts).await?;
    expect_self_referrals(&mut w, &facts);
    load_counting(conn, &w.merging, &mut facts).await?;
    if w.repeatable {
        load_touches(conn, &facts_leads(&facts), &mut facts).await?;
    }
    load_sign_ups(conn, &mut w, &mut facts).await?;
    load_known_refunds(conn, &mut w, &mut facts).await?;
    load_payments(conn, &mut w, &mut facts).await?;
    load_refunds(conn, &w, &mut facts).await?;
    load_payers(conn, &w, &mut facts).await?;
    load_purchases(conn, &facts_leads(&facts), &mut facts).await?;
    load_commissions(conn, &w, &mut facts).await?;
    Ok(facts)
}

async fn load_items(conn: &mut Conn, w: &mut Wanted, facts: &mut Facts) -> DbResult<()> {
    if w.items.is_empty() {
        return Ok(());
    }
    let items: Vec<InboxItem> = sql(
        "SELECT i.id, i.business_id, i.campaign_id, i.kind, i.state, i.cause, i.detail, i.lead_id, i.payment_id, i.referrer_id, i.touch_id
           FROM rows($1, id BIGINT) r JOIN inbox_items i ON i.id = r.id",
    )
    .bind(ids(&w.items))
    .all(conn)
    .await?;
    for item in items {
        let detail: serde_json::Value = serde_json::from_str(&item.detail).unwrap_or_default();
        if item.kind == "second_payment"
            && let (Some(product), Some(test), Some(email)) =
                (detail["product"].as_i64(), detail["test"].as_bool(), detail["email"].as_str())
            && let Some(key) = crate::email::key_of(email)
        {
            w.products.insert(product);
            let day = paid_on(product, &key, detail["date"].as_str().unwrap_or_default());
            w.expect_refunds(item.business_id, product, test, None, &day);
            w.people.push((product, test, key, None));
            w.identities.push((item.business_id, product, test, format!("inbox:{}", item.id)));
        }
        facts.inbox.insert(item.id, item);
    }
    Ok(())
}

const COMMISSION: &str = "c.id, c.business_id, c.campaign_id, c.test, c.kind, c.product_id, c.payment_id, c.lead_id, c.referrer_id,
    c.enrollment_id, c.terms_id, c.terms_number, c.rate, c.flat, c.base_amount, c.amount, c.currency, c.hold_days, c.hold_until,
    c.state, c.reason, c.released, c.reversed_at, c.taken_back, c.created_at, c.updated_at";

async fn load_named_commissions(conn: &mut Conn, w: &mut Wanted, facts: &mut Facts) -> DbResult<()> {
    if w.commissions.is_empty() {
        return Ok(());
    }
    let text = format!("SELECT {COMMISSION} FROM rows($1, id BIGINT) r JOIN commissions c ON c.id = r.id");
    let found: Vec<Commission> = crate::db::sql_built(text).bind(ids(&w.commissions)).all(conn).await?;
    for c in found {
        w.leads.insert(c.lead_id);
        w.enrollments.insert(c.enrollment_id);
        facts.commissions.insert(c.id, c);
    }
    Ok(())
}

const LEAD: &str = "l.id, l.business_id, l.campaign_id, l.test, l.name, l.email, l.email_key, l.phone, l.phone_key, l.company,
    l.jobtitle, l.industry, l.website, l.request, l.budget, l.country, l.region, l.address, l.source, l.source_origin, l.status,
    l.status_before, l.active, l.duplicate_of, l.qualified_at, l.converted_at, l.arrival, l.referrer_id, l.enrollment_id, l.code_id,
    l.touch_id, l.rule_fired, l.recorded_by, l.created_at, l.updated_at, l.archived_at";

async fn load_leads_by_id(conn: &mut Conn, w: &mut Wanted, facts: &mut Facts, events: &[Event]) -> DbResult<()> {
    if w.leads.is_empty() {
        return Ok(());
    }
    let text = format!("SELECT {LEAD} FROM rows($1, id BIGINT) r JOIN leads l ON l.id = r.id");
    let found: Vec<Lead> = crate::db::sql_built(text).bind(ids(&w.leads)).all(conn).await?;
    for lead in found {
        // What a qualification, a status or an approval needs is read by itself.
        let deep = w.deep.contains(&lead.id);
        note_lead(w, &lead, deep);
        facts.add_lead(lead);
    }
    // An edit may take a contact that another lead has, and payments may be waiting for it.
    for event in events {
        let edited = match &event.what {
            What::EditLead { lead_id, contact, .. } => (lead_id, contact.email_key.as_deref()),
            What::AmendLead { lead_id, email, .. } => (lead_id, email.as_ref().map(|e| e.key())),
            _ => continue,
        };
        if let (Some(lead), Some(key)) = (facts.leads.get(edited.0), edited.1) {
            w.emails.insert((lead.campaign_id, lead.test, key.to_owned()));
            w.orphans.insert((lead.campaign_id, lead.test, key.to_owned()));
        }
    }
    Ok(())
}

fn note_lead(w: &mut Wanted, lead: &Lead, deep: bool) {
    w.campaigns.insert(lead.campaign_id);
    w.enrollments.extend(lead.enrollment_id);
    if deep {
        w.deep.insert(lead.id);
        w.orphans.extend(lead.email_key.iter().map(|k| (lead.campaign_id, lead.test, k.clone())));
    }
}

row! {
    struct CatalogueRow {
        product_id: i64,
        product_test: bool,
        id: i64,
        business_id: i64,
        state: String,
        qualify_on: String,
        qualify_least: String,
        reward: String,
        reward_hold_days: i64,
    }
}

async fn load_catalogue(conn: &mut Conn, w: &mut Wanted, facts: &mut Facts) -> DbResult<()> {
    let businesses: Vec<Business> =
        sql("SELECT b.id, b.timezone, b.currency, EXISTS (SELECT 1 FROM refunds f WHERE f.business_id = b.id AND f.state = 'parked') AS parked
               FROM rows($1, id BIGINT) r JOIN businesses b ON b.id = r.id")
        .bind(ids(&w.businesses))
        .all(conn)
        .await?;
    facts.businesses = businesses.into_iter().map(|b| (b.id, b)).collect();
    if !w.deep.is_empty() {
        // Waiting payments of these leads may be decided now, whatever product they are of.
        let products: Vec<(i64,)> = sql(
            "SELECT DISTINCT p.product_id FROM rows($1, id BIGINT) r JOIN payments p ON p.lead_id = r.id WHERE p.decision = 'waiting'",
        )
        .bind(ids(&w.deep))
        .all(conn)
        .await?;
        w.products.extend(products.into_iter().map(|(id,)| id));
    }
    if !w.orphans.is_empty() || !w.sign_ups.is_empty() || !w.phoned.is_empty() {
        // Unattached payments may be of any product of the campaign.
        let campaigns: BTreeSet<i64> = w.orphans.iter().map(|(campaign, ..)| *campaign).collect();
        let siblings: Vec<(i64,)> = sql(
            "SELECT p.id FROM rows($1, id BIGINT) r JOIN products p ON p.campaign_id = r.id
             UNION SELECT s.id FROM rows($2, id BIGINT) q JOIN products n ON n.id = q.id JOIN products s ON s.campaign_id = n.campaign_id",
        )
        .bind(ids(&campaigns))
        .bind(ids(&w.products))
        .all(conn)
        .await?;
        w.products.extend(siblings.into_iter().map(|(id,)| id));
    }
    if !w.products.is_empty() {
        let found: Vec<CatalogueRow> = sql(
            "SELECT p.id AS product_id, p.test AS product_test, c.id, c.business_id, c.state, c.qualify_on, c.qualify_least, c.reward, c.reward_hold_days
               FROM rows($1, id BIGINT) r JOIN products p ON p.id = r.id JOIN campaigns c ON c.id = p.campaign_id",
        )
        .bind(ids(&w.products))
        .all(conn)
        .await?;
        for c in found {
            let product =
                Product { id: c.product_id, business_id: c.business_id, campaign_id: c.id, test: c.product_test };
            facts.products.insert(product.id, product);
            w.campaigns.remove(&c.id);
            let campaign = Campaign {
                id: c.id,
                business_id: c.business_id,
                state: c.state,
                qualify_on: c.qualify_on,
                qualify_least: c.qualify_least,
                reward: c.reward,
                reward_hold_days: c.reward_hold_days,
            };
            facts.campaigns.insert(campaign.id, campaign);
        }
        let terms: Vec<Terms> = sql(
            "SELECT t.id, t.product_id, t.number, t.valid_from, t.referral_rate, t.referral_flat, t.recurring_rate, t.recurring_flat,
                    t.recurring_limit, t.recurring_count, t.hold_days
               FROM rows($1, id BIGINT) r JOIN terms t ON t.product_id = r.id ORDER BY t.product_id, t.number",
        )
        .bind(ids(&w.products))
        .all(conn)
        .await?;
        for t in terms {
            facts.terms.entry(t.product_id).or_default().push(t);
        }
    }
    w.campaigns.retain(|id| !facts.campaigns.contains_key(id));
    if !w.campaigns.is_empty() {
        let campaigns: Vec<Campaign> =
            sql("SELECT c.id, c.business_id, c.state, c.qualify_on, c.qualify_least, c.reward, c.reward_hold_days
               FROM rows($1, id BIGINT) r JOIN campaigns c ON c.id = r.id")
            .bind(ids(&w.campaigns))
            .all(conn)
            .await?;
        facts.campaigns.extend(campaigns.into_iter().map(|c| (c.id, c)));
    }
    Ok(())
}

/// Events name a product; the lead is the campaign's, and test when the key or the product is.
fn place_people(w: &mut Wanted, facts: &Facts) {
    for (product, test, email, phone) in std::mem::take(&mut w.people) {
        let Some(p) = facts.products.get(&product) else { continue };
        let test = test || p.test;
        w.emails.insert((p.campaign_id, test, email));
        w.phones.extend(phone.map(|phone| (p.campaign_id, test, phone)));
    }
    for (product, test, email) in &mut w.sign_ups {
        let Some(p) = facts.products.get(product) else { continue };
        *test |= p.test;
        w.orphans.insert((p.campaign_id, *test, email.clone()));
    }
    for (product, test, _) in &mut w.phoned {
        *test |= facts.products.get(product).is_some_and(|p| p.test);
    }
    for (_, product, test, _) in &mut w.identities {
        *test |= facts.products.get(product).is_some_and(|p| p.test);
    }
    for (_, product, test, _) in w.parked.iter_mut().chain(&mut w.refunds).chain(&mut w.cancellations) {
        *test |= facts.products.get(product).is_some_and(|p| p.test);
    }
    for (product, test, ..) in w.dates.iter_mut().chain(&mut w.refund_days) {
        *test |= facts.products.get(product).is_some_and(|p| p.test);
    }
}

async fn load_leads_by_contact(conn: &mut Conn, w: &mut Wanted, facts: &mut Facts) -> DbResult<()> {
    let mut found: Vec<Lead> = Vec::new();
    if !w.emails.is_empty() {
        let text = format!(
            "SELECT {LEAD} FROM rows($1, campaign BIGINT, test BOOLEAN, contact TEXT) r
               JOIN leads l ON l.campaign_id = r.campaign AND l.test = r.test AND l.email_key = r.contact
              WHERE l.duplicate_of IS NULL AND l.email_key IS NOT NULL"
        );
        let table = rows!(&w.emails, (c, t, k) => { campaign: *c, test: *t, contact: k });
        found.extend(crate::db::sql_built(text).bind(table).all::<Lead>(conn).await?);
    }
    if !w.phones.is_empty() {
        let text = format!(
            "SELECT {LEAD} FROM rows($1, campaign BIGINT, test BOOLEAN, contact TEXT) r
               JOIN leads l ON l.campaign_id = r.campaign AND l.test = r.test AND l.phone_key = r.contact
              WHERE l.duplicate_of IS NULL AND l.phone_key IS NOT NULL ORDER BY l.id {LIMIT}"
        );
        let table = rows!(&w.phones, (c, t, k) => { campaign: *c, test: *t, contact: k });
        found.extend(crate::db::sql_built(text).bind(table).all::<Lead>(conn).await?);
    }
    for lead in found {
        // A sign-up or a staff lead may let older payments of this very person earn.
        let at = |key: &String| (lead.campaign_id, lead.test, key.clone());
        // One that is known by its phone alone may get its address now, and what waited for that.
        let deep = match &lead.email_key {
            Some(k) => w.orphans.contains(&at(k)),
            None => true,
        } || lead.phone_key.as_ref().is_some_and(|k| w.claimed_phones.contains(&at(k)));
        note_lead(w, &lead, deep);
        if !facts.leads.contains_key(&lead.id) {
            facts.add_lead(lead);
        }
    }
    expect_addresses(w, facts);
    Ok(())
}

/// A payment with a phone number may bring its address to a lead that has none. Nothing waits for an address
/// that a lead has already, so that an ordinary payment looks for nothing more.
fn expect_addresses(w: &mut Wanted, facts: &Facts) {
    for (product, test, email) in std::mem::take(&mut w.phoned) {
        let Some(p) = facts.products.get(&product) else { continue };
        let at = (p.campaign_id, test, email);
        if !facts.lead_by_email.contains_key(&at) {
            w.orphans.insert(at);
        }
    }
}

const CODE: &str =
    "c.id, c.business_id, c.enrollment_id, c.campaign_id, c.referrer_id, c.lookup, c.repaired, c.kind, c.state";

async fn load_codes(conn: &mut Conn, w: &mut Wanted, facts: &mut Facts) -> DbResult<()> {
    // Whoever becomes part of another lead brings the code they came by.
    let brought: Vec<i64> = w.merging.iter().filter_map(|id| facts.leads.get(id)?.code_id).collect();
    w.code_ids.extend(brought);
    if !w.codes.is_empty() {
        let text = format!(
            "SELECT {CODE} FROM rows($1, business BIGINT, lookup TEXT, repaired TEXT) r
               JOIN codes c ON c.business_id = r.business AND c.lookup = r.lookup
             UNION
             SELECT {CODE} FROM rows($1, business BIGINT, lookup TEXT, repaired TEXT) r
               JOIN codes c ON c.business_id = r.business AND c.repaired = r.repaired AND c.kind = 'generated'"
        );
        let table = rows!(&w.codes, (b, text) => { business: *b, lookup: code::lookup_form(text), repaired: code::repaired(text) });
        for c in crate::db::sql_built(text).bind(table).all::<Code>(conn).await? {
            w.enrollments.insert(c.enrollment_id);
            facts.add_code(c);
        }
    }
    if !w.code_ids.is_empty() {
        let text = format!("SELECT {CODE} FROM rows($1, id BIGINT) r JOIN codes c ON c.id = r.id");
        for c in crate::db::sql_built(text).bind(ids(&w.code_ids)).all::<Code>(conn).await? {
            facts.add_code(c);
        }
    }
    Ok(())
}

const ENROLLMENT: &str =
    "e.id, e.business_id, e.campaign_id, e.referrer_id, e.state, e.archived, p.email_key, p.phone_key";

async fn load_enrollments(conn: &mut Conn, w: &mut Wanted, facts: &mut Facts) -> DbResult<()> {
    if w.enrollments.is_empty() {
        return Ok(());
    }
    let text = format!(
        "SELECT {ENROLLMENT} FROM rows($1, id BIGINT) r JOIN enrollments e ON e.id = r.id JOIN referrers p ON p.id = e.referrer_id"
    );
    for e in crate::db::sql_built(text).bind(ids(&w.enrollments)).all::<Enrollment>(conn).await? {
        facts.add_enrollment(e);
    }
    // A code of another campaign counts through its referrer's enrollment in the lead's campaign.
    let elsewhere: BTreeSet<(i64, i64)> = facts
        .codes
        .values()
        .flat_map(|c| facts.campaigns.keys().map(move |campaign| (*campaign, c.referrer_id)))
        .filter(|key| !facts.enrollment_of.contains_key(key))
        .collect();
    if !elsewhere.is_empty() {
        let text = format!(
            "SELECT {ENROLLMENT} FROM rows($1, campaign BIGINT, referrer BIGINT) r
               JOIN enrollments e ON e.campaign_id = r.campaign AND e.referrer_id = r.referrer JOIN referrers p ON p.id = e.referrer_id"
        );
        let table = rows!(&elsewhere, (c, p) => { campaign: *c, referrer: *p });
        for e in crate::db::sql_built(text).bind(table).all::<Enrollment>(conn).await? {
            facts.add_enrollment(e);
        }
    }
    Ok(())
}

/// Whoever turns out to have referred themselves loses what is not paid yet, so it has to be known.
fn expect_self_referrals(w: &mut Wanted, facts: &Facts) {
    for lead in facts.leads.values() {
        let Some(e) = lead.enrollment_id.and_then(|id| facts.enrollments.get(&id)) else { continue };
        let brought = |contact: &Option<String>, named: &BTreeSet<Contactable>| {
            contact.as_ref().is_some_and(|k| named.contains(&(lead.campaign_id, lead.test, k.clone())))
        };
        if is_same_person(&lead.email_key, &lead.phone_key, e)
            || brought(&e.email_key, &w.emails)
            || brought(&e.phone_key, &w.phones)
        {
            w.deep.insert(lead.id);
        }
    }
}

async fn load_sign_ups(conn: &mut Conn, w: &mut Wanted, facts: &mut Facts) -> DbResult<()> {
    let mut found: Vec<SignedUp> = Vec::new();
    if !w.sign_ups.is_empty() {
        let table = rows!(&w.sign_ups, (p, t, k) => { product: *p, test: *t, contact: k });
        found = sql("SELECT s.id, s.business_id, s.product_id, s.test, s.email_key, s.lead_id
               FROM rows($1, product BIGINT, test BOOLEAN, contact TEXT) r
               JOIN sign_ups s ON s.product_id = r.product AND s.test = r.test AND s.email_key = r.contact")
        .bind(table)
        .all(conn)
        .await?;
        let repeated: BTreeSet<i64> = found.iter().map(|s| s.lead_id).collect();
        if !w.codes.is_empty() {
            load_touches(conn, &repeated, facts).await?;
        }
        // The sign-up's lead may have changed its address since.
        let missing: BTreeSet<i64> = repeated.into_iter().filter(|id| !facts.leads.contains_key(id)).collect();
        if !missing.is_empty() {
            let text = format!("SELECT {LEAD} FROM rows($1, id BIGINT) r JOIN leads l ON l.id = r.id");
            for lead in crate::db::sql_built(text).bind(ids(&missing)).all::<Lead>(conn).await? {
                facts.add_lead(lead);
            }
        }
    }
    if !w.deep.is_empty() {
        found.extend(
            sql("SELECT s.id, s.business_id, s.product_id, s.test, s.email_key, s.lead_id
                   FROM rows($1, id BIGINT) r JOIN sign_ups s ON s.lead_id = r.id")
            .bind(ids(&w.deep))
            .all::<SignedUp>(conn)
            .await?,
        );
    }
    facts.sign_ups = found.into_iter().map(|s| ((s.product_id, s.test, s.email_key.clone()), s)).collect();
    Ok(())
}

fn facts_leads(facts: &Facts) -> BTreeSet<i64> {
    facts.leads.keys().copied().collect()
}
