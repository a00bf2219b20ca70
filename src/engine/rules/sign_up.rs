//! A customer signed up: found or made as a lead, attributed by the code it brought.

use serde_json::json;

use super::{About, attribution, audit, lead, payment, qualification};
use crate::code;
use crate::engine::event::{Claim, ClaimBy, Contact, Event, Outcome, SignUp, Status, TouchKind};
use crate::engine::facts::SignedUp;
use crate::engine::work::{NewInboxItem, Work};

pub fn sign_up(work: &mut Work, event: &Event, s: &SignUp) -> Outcome {
    let Some(product) = work.facts.products.get(&s.product_id).filter(|p| p.business_id == event.business_id).cloned()
    else {
        return Outcome::NotFound;
    };
    let test = s.test || product.test;
    let identity = (s.product_id, test, s.email.key().to_owned());
    if let Some(known) = work.facts.sign_ups.get(&identity).cloned() {
        return again(work, event, s, &known);
    }
    let claim = s.code.clone().map(|code| Claim { kind: TouchKind::Event, by: ClaimBy::Code(code) });
    let found = lead::find(work, product.campaign_id, test, Some(s.email.key()), s.phone.as_ref().map(|p| p.e164()));
    let known = found.is_some();
    let lead_id = match found {
        Some(id) => {
            lead::add_contact(work, event, id, (s.email.text(), s.email.key()), s.phone.as_ref());
            id
        }
        None => {
            let contact = Contact {
                name: s.name.clone(),
                email: Some(s.email.text().to_owned()),
                email_key: Some(s.email.key().to_owned()),
                phone: s.phone.as_ref().map(|p| p.text().to_owned()),
                phone_key: s.phone.as_ref().map(|p| p.e164().to_owned()),
                source: Some(if s.code.is_some() { "referral" } else { "sign-up" }.to_owned()),
                ..Contact::default()
            };
            lead::insert(work, event, product.campaign_id, test, contact, Status::New, "api", None)
        }
    };
    let id = work.id();
    let signed = SignedUp {
        id,
        business_id: event.business_id,
        product_id: s.product_id,
        test,
        email_key: s.email.key().to_owned(),
        lead_id,
    };
    work.facts.sign_ups.insert(identity, signed.clone());
    work.writes.new_sign_ups.push(signed);

    let claimed = claim.as_ref().map(|claim| attribution::claim(work, event, lead_id, claim));
    let attributed = claimed.as_ref().is_some_and(|c| c.attributed);
    let brought = payment::attach_waiting(work, event, lead_id);
    qualification::at_sign_up(work, event, lead_id);
    if attributed {
        payment::earn_recent(work, event, lead_id);
        if known {
            qualification::reward_if_due(work, event, lead_id);
        }
    } else {
        payment::earn_brought(work, event, lead_id, &brought);
    }
    let referrer_id = work.facts.leads.get(&lead_id).and_then(|l| l.referrer_id);
    let refused = claimed.and_then(|c| c.refused);
    let about = About { action: "customer.created", kind: "lead", id: lead_id, lead_id: Some(lead_id), referrer_id };
    let after = json!({ "code": s.code, "referrer": referrer_id, "refused": refused.map(|r| r.word()) });
    audit(work, event, about, None, Some(after), None);
    Outcome::SignedUp { lead_id, referrer_id, known, refused }
}

/// The same event again changes nothing on the lead; its code is kept, and offered when nobody counts yet.
fn again(work: &mut Work, event: &Event, s: &SignUp, known: &SignedUp) -> Outcome {
    let Some(lead) = work.facts.leads.get(&known.lead_id).cloned() else { return Outcome::NotFound };
    let outcome = Outcome::SignUpDuplicate { lead_id: lead.id, referrer_id: lead.referrer_id };
    let Some(code) = &s.code else { return outcome };
    if !work.facts.touched_by.insert((lead.id, code::lookup_form(code))) {
        return outcome;
    }
    let claim = Claim { kind: TouchKind::Event, by: ClaimBy::Code(code.clone()) };
    let resolved = attribution::resolve(work, event.business_id, lead.campaign_id, lead.test, &claim);
    let touch_id = attribution::keep_touch(work, event, lead.id, TouchKind::Event, &resolved, None);
    let about = About {
        action: "lead.touched",
        kind: "lead",
        id: lead.id,
        lead_id: Some(lead.id),
        referrer_id: lead.referrer_id,
    };
    let refused = resolved.refused.map(|r| r.word());
    audit(work, event, about, None, Some(json!({ "code": code, "attributed": false, "refused": refused })), None);
    if lead.referrer_id.is_none() {
        let id = work.id();
        work.writes.inbox.push(NewInboxItem {
            id,
            business_id: event.business_id,
            campaign_id: lead.campaign_id,
            kind: "late_claim",
            cause: format!("late:{}:{}", lead.id, code::lookup_form(code)),
            detail: json!({ "code": code, "lead": lead.name }),
            lead_id: Some(lead.id),
            payment_id: None,
            referrer_id: resolved.enrollment.map(|e| e.referrer_id),
            touch_id: Some(touch_id),
        });
    }
    outcome
}
