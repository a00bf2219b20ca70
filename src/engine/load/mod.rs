//! Loads the facts of a slice. Every statement takes the whole slice; one with nothing to look for is
//! not sent. What is found may name more to look for, so the order counts.

mod catalogue;
pub mod contacts;
mod leads;
mod money;
mod referrers;
mod touches;

use std::collections::BTreeSet;

use super::event::Payment;
use super::facts::{Facts, InboxItem};
use super::ids::LeadId;
use super::rule::Rule;
use super::subjects::Subjects;
use crate::db::{Conn, DbResult, Field, Table, sql};
use crate::rows;

/// At most so many payments or commissions of one slice's leads are looked at. Where there are more, the
/// facts are only a part: nothing is decided on them.
const MANY: usize = 20_000;

/// One more than is looked at, to see that there are more.
const LIMIT: &str = "LIMIT 20001";

fn ids<I: Field>(set: &BTreeSet<I>) -> Table {
    rows!(set, id => { id: id })
}

pub async fn load(conn: &mut Conn, about: &Subjects) -> DbResult<Facts> {
    let mut about = about.clone();
    let about = &mut about;
    let mut facts = Facts::default();
    load_items(conn, about, &mut facts).await?;
    money::load_named_commissions(conn, about, &mut facts).await?;
    leads::load_by_external_id(conn, about, &mut facts).await?;
    leads::load_by_id(conn, about, &mut facts).await?;
    catalogue::load(conn, about, &mut facts).await?;
    leads::load_by_contact(conn, about, &mut facts).await?;
    touches::load_valid(conn, about, &mut facts).await?;
    referrers::load_codes(conn, about, &mut facts).await?;
    referrers::load_enrollments(conn, about, &mut facts).await?;
    leads::expect_self_referrals(about, &facts);
    if about.repeatable {
        touches::load_touches(conn, &leads_of(&facts), &mut facts).await?;
    }
    leads::load_sign_ups(conn, about, &mut facts).await?;
    money::load_known_refunds(conn, about, &mut facts).await?;
    money::load_payments(conn, about, &mut facts).await?;
    money::load_refunds(conn, about, &mut facts).await?;
    money::load_payers(conn, about, &mut facts).await?;
    money::load_purchases(conn, &leads_of(&facts), &mut facts).await?;
    money::load_commissions(conn, about, &mut facts).await?;
    money::load_customer_rewards(conn, &mut facts).await?;
    Ok(facts)
}

fn leads_of(facts: &Facts) -> BTreeSet<LeadId> {
    facts.leads.keys().copied().collect()
}

/// Inbox items, and what the payments are about that some of them hold.
async fn load_items(conn: &mut Conn, about: &mut Subjects, facts: &mut Facts) -> DbResult<()> {
    if about.items.is_empty() {
        return Ok(());
    }
    let items: Vec<InboxItem> = sql("SELECT i.id, i.business_id, i.campaign_id, i.kind, i.state, i.cause, i.detail,
                i.lead_id, i.payment_id, i.referrer_id, i.touch_id
           FROM rows($1, id BIGINT) r
           JOIN inbox_items i ON i.id = r.id")
    .bind(ids(&about.items))
    .all(conn)
    .await?;
    for item in items {
        if let Some(payment) = Payment::of_item(&item) {
            payment.subjects(item.business_id, about);
        }
        facts.inbox.insert(item.id, item);
    }
    Ok(())
}
