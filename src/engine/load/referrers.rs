//! Codes and enrollments.

use std::collections::BTreeSet;

use super::ids;
use crate::code;
use crate::db::{Conn, DbResult, sql_built};
use crate::engine::facts::{Code, Enrollment, Facts};
use crate::engine::ids::{CampaignId, ReferrerId};
use crate::engine::subjects::Subjects;
use crate::rows;

const CODE: &str =
    "c.id, c.business_id, c.enrollment_id, c.campaign_id, c.referrer_id, c.lookup, c.repaired, c.kind, c.state";

pub async fn load_codes(conn: &mut Conn, about: &mut Subjects, facts: &mut Facts) -> DbResult<()> {
    if !about.codes.is_empty() {
        let text = format!(
            "SELECT {CODE}
               FROM rows($1, business BIGINT, lookup TEXT, repaired TEXT) r
               JOIN codes c ON c.business_id = r.business AND c.lookup = r.lookup
             UNION
             SELECT {CODE}
               FROM rows($1, business BIGINT, lookup TEXT, repaired TEXT) r
               JOIN codes c ON c.business_id = r.business AND c.repaired = r.repaired AND c.kind = 'generated'"
        );
        let table = rows!(&about.codes, (b, text) => {
            business: *b, lookup: code::lookup_form(text), repaired: code::repaired(text),
        });
        for c in sql_built(text).bind(table).all::<Code>(conn).await? {
            about.enrollments.insert(c.enrollment_id);
            facts.add_code(c);
        }
    }
    if !about.code_ids.is_empty() {
        let text = format!(
            "SELECT {CODE}
               FROM rows($1, id BIGINT) r
               JOIN codes c ON c.id = r.id"
        );
        for c in sql_built(text).bind(ids(&about.code_ids)).all::<Code>(conn).await? {
            facts.add_code(c);
        }
    }
    Ok(())
}

const ENROLLMENT: &str =
    "e.id, e.business_id, e.campaign_id, e.referrer_id, e.state, e.archived, p.email_key, p.phone_key";

pub async fn load_enrollments(conn: &mut Conn, about: &Subjects, facts: &mut Facts) -> DbResult<()> {
    if about.enrollments.is_empty() {
        return Ok(());
    }
    let text = format!(
        "SELECT {ENROLLMENT}
           FROM rows($1, id BIGINT) r
           JOIN enrollments e ON e.id = r.id
           JOIN referrers p ON p.id = e.referrer_id"
    );
    for e in sql_built(text).bind(ids(&about.enrollments)).all::<Enrollment>(conn).await? {
        facts.add_enrollment(e);
    }
    // A code of another campaign counts through its referrer's enrollment in the lead's campaign.
    let elsewhere: BTreeSet<(CampaignId, ReferrerId)> = facts
        .codes
        .values()
        .flat_map(|c| facts.campaigns.keys().map(move |campaign| (*campaign, c.referrer_id)))
        .filter(|key| !facts.enrollment_of.contains_key(key))
        .collect();
    if !elsewhere.is_empty() {
        let text = format!(
            "SELECT {ENROLLMENT}
               FROM rows($1, campaign BIGINT, referrer BIGINT) r
               JOIN enrollments e ON e.campaign_id = r.campaign AND e.referrer_id = r.referrer
               JOIN referrers p ON p.id = e.referrer_id"
        );
        let table = rows!(&elsewhere, (c, p) => { campaign: *c, referrer: *p });
        for e in sql_built(text).bind(table).all::<Enrollment>(conn).await? {
            facts.add_enrollment(e);
        }
    }
    Ok(())
}
