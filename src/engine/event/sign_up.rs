//! A customer signed up: found or made as a lead, attributed by the code it brought.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::code;
use crate::email::Email;
use crate::engine::claim::{Claim, ClaimBy};
use crate::engine::contact::Contact;
use crate::engine::decision::{By, Decided, ProductScope, Rejected};
use crate::engine::facts::SignedUp;
use crate::engine::ids::{BusinessId, LeadId, ProductId, ReferrerId};
use crate::engine::rule::{Change, Rule};
use crate::engine::rules::attribution;
use crate::engine::rules::audit::{Note, audit};
use crate::engine::rules::leads::{self, NewLead};
use crate::engine::settle::{Came, settle};
use crate::engine::state::{ClaimRefusal, SourceOrigin, Status, TouchKind};
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;
use crate::leads::fields::LeadFact;
use crate::phone::Phone;

/// RN customer-created.
#[derive(Debug, Clone)]
pub struct SignUp {
    pub of: ProductScope,
    pub email: Email,
    pub name: String,
    pub phone: Option<Phone>,
    pub code: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignUpOutcome {
    Recorded {
        lead_id: LeadId,
        referrer_id: Option<ReferrerId>,
        known: bool,
        refused: Option<ClaimRefusal>,
    },
    /// The same sign-up was accepted before.
    Duplicate {
        lead_id: LeadId,
        referrer_id: Option<ReferrerId>,
    },
}

impl Change for SignUpOutcome {
    fn changed(&self) -> bool {
        matches!(self, Self::Recorded { .. })
    }
}

impl Rule for SignUp {
    type Outcome = SignUpOutcome;

    fn subjects(&self, business_id: BusinessId, about: &mut Subjects) {
        about.product(self.of);
        about.person(business_id, self.of.scope, Some(self.email.key()), self.phone.as_ref().map(Phone::e164));
        about.orphans(self.of.scope, self.email.key());
        about.sign_ups.insert(self.identity());
        if let Some(code) = &self.code {
            about.code(business_id, code);
        }
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<SignUpOutcome> {
        work.facts.prove(by, self.of)?;
        if let Some(known) = work.facts.sign_ups.get(&self.identity()).cloned() {
            return self.again(work, by, &known);
        }
        let phone = self.phone.as_ref();
        let found = work.facts.find_lead(self.of.scope, Some(self.email.key()), phone.map(Phone::e164));
        let lead_id = match found {
            Some(id) => {
                leads::add_contact(work, by, id, (self.email.text(), self.email.key()), phone);
                id
            }
            None => leads::insert(work, by, self.lead()),
        };
        self.keep(work, by, lead_id);
        let claimed = self.claim().map(|claim| attribution::claim(work, by, lead_id, &claim)).unwrap_or_default();
        let came = Came { attributed: claimed.attributed, signed_up: true, ..Came::by_event() };
        settle(work, by, Some(lead_id), came);
        let referrer_id = work.facts.leads.get(&lead_id).and_then(|l| l.referrer_id);
        let note = Note::lead("customer.created", lead_id, referrer_id)
            .after(json!({ "code": self.code, "referrer": referrer_id, "refused": claimed.refused }));
        audit(work, by, note);
        Ok(SignUpOutcome::Recorded { lead_id, referrer_id, known: found.is_some(), refused: claimed.refused })
    }
}

impl SignUp {
    fn identity(&self) -> (ProductId, bool, String) {
        (self.of.product_id, self.of.scope.test, self.email.key().to_owned())
    }

    fn claim(&self) -> Option<Claim> {
        self.code.clone().map(|code| Claim { kind: TouchKind::Event, by: ClaimBy::Code(code) })
    }

    fn lead(&self) -> NewLead {
        let phone = self.phone.as_ref();
        let source = if self.code.is_some() { "referral" } else { "sign-up" };
        let contact = Contact::new(&self.name, Some(&self.email), phone).with(LeadFact::Source, source);
        NewLead {
            scope: self.of.scope,
            contact,
            status: Status::New,
            source_origin: SourceOrigin::Api,
            duplicate_of: None,
            recorded_by: None,
        }
    }

    fn keep(&self, work: &mut Work, by: &By, lead_id: LeadId) {
        let id = work.id();
        let signed = SignedUp {
            id,
            business_id: by.business_id,
            product_id: self.of.product_id,
            test: self.of.scope.test,
            email_key: self.email.key().to_owned(),
            lead_id,
        };
        work.facts.sign_ups.insert(self.identity(), signed.clone());
        work.writes.new_sign_ups.push(signed);
    }

    /// The same event again changes nothing on the lead; its code is stored, and offered where the lead has no
    /// referrer yet.
    fn again(&self, work: &mut Work, by: &By, known: &SignedUp) -> Decided<SignUpOutcome> {
        let lead = work.facts.leads.get(&known.lead_id).cloned().ok_or(Rejected::NotFound)?;
        let outcome = SignUpOutcome::Duplicate { lead_id: lead.id, referrer_id: lead.referrer_id };
        let (Some(code), Some(claim)) = (&self.code, self.claim()) else { return Ok(outcome) };
        if !work.facts.touched_by.insert((lead.id, code::lookup_form(code))) {
            return Ok(outcome);
        }
        let resolved = attribution::resolve(work, by.business_id, lead.scope(), &claim);
        let touch_id = attribution::keep_touch(work, by, lead.id, TouchKind::Event, &resolved, None);
        let note = Note::lead("lead.touched", lead.id, lead.referrer_id)
            .after(json!({ "code": code, "attributed": false, "refused": resolved.refused }));
        audit(work, by, note);
        attribution::offer_late(work, &lead, &resolved, touch_id);
        Ok(outcome)
    }
}
