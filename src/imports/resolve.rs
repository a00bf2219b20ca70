//! Rows of leads and of converted customers, as events for the engine. The rows they refer to are read
//! set-wise; the engine decides what may be done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::mapping::Field;
use super::outcome::{Fate, Verdict};
use super::read::Person;
use super::store::{self, KnownCode, KnownLead, LeadsOf};
use super::{Import, Kind};
use crate::actor::Actor;
use crate::db::{Conn, DbResult};
use crate::engine::ids::LeadId;
use crate::engine::{
    AddLead, AddLeadOutcome, By, Changed, Claim, ClaimBy, ClaimRefusal, Decided, Event, Outcome, Qualified, Qualify,
    Rejected, Scope, SourceOrigin, Status, TouchKind, What,
};
use crate::leads::fields::LeadFact;
use crate::{code, id};

/// The plan for a row: an event, or nothing and why.
pub enum Plan {
    /// With the referrer that the row claims, where it names one.
    Event(Box<Event>, Option<i64>),
    /// Without the referrer that the row names, and why.
    Alone(Box<Event>, String),
    Told(Verdict),
}

/// The database rows to which a chunk refers.
struct Known {
    leads: BTreeMap<i64, KnownLead>,
    by_email: BTreeMap<String, i64>,
    by_phone: BTreeMap<String, Vec<i64>>,
    codes: Vec<KnownCode>,
    of_referrer: BTreeMap<i64, LeadsOf>,
    referrers: BTreeMap<String, i64>,
}

impl Known {
    async fn read(conn: &mut Conn, import: &Import, people: &[Person]) -> DbResult<Self> {
        let campaign = import.campaign_id;
        let texts: Vec<String> = people.iter().filter_map(|p| p.code.clone()).collect();
        let own =
            texts.iter().filter_map(|text| id::parse_lead_code(text)).chain(people.iter().filter_map(|p| p.own_id));
        let own: Vec<i64> = own.collect();
        let mut leads = if own.is_empty() { BTreeMap::new() } else { store::leads_by_id(conn, campaign, &own).await? };
        let codes = if texts.is_empty() { Vec::new() } else { store::codes(conn, import.business_id, &texts).await? };
        let referring: BTreeSet<i64> = codes.iter().map(|c| c.referrer_id).collect();
        let of_referrer =
            if referring.is_empty() { BTreeMap::new() } else { store::leads_of(conn, campaign, &referring).await? };
        let emails: Vec<String> = people.iter().filter_map(|p| p.contact.email_key.clone()).collect();
        let phones: Vec<String> = people.iter().filter_map(|p| p.contact.phone_key.clone()).collect();
        let (mut by_email, mut by_phone) = (BTreeMap::new(), BTreeMap::<String, Vec<i64>>::new());
        for lead in store::leads_by_contact(conn, campaign, &emails, &phones).await? {
            by_email.extend(lead.email_key.clone().map(|key| (key, lead.id)));
            if let Some(key) = &lead.phone_key {
                let same = by_phone.entry(key.clone()).or_default();
                if !same.contains(&lead.id) {
                    same.push(lead.id);
                }
            }
            leads.insert(lead.id, lead);
        }
        let by: Vec<String> = people.iter().filter_map(|p| p.referrer.as_ref().map(|e| e.key().to_owned())).collect();
        let referrers = if by.is_empty() {
            BTreeMap::new()
        } else {
            store::enrollments(conn, import.business_id, campaign, &by).await?
        };
        Ok(Self { leads, by_email, by_phone, codes, of_referrer, referrers })
    }

    /// The code a text means, as the engine looks it up: exact first, then repaired.
    fn code(&self, text: &str) -> Option<&KnownCode> {
        let (lookup, repaired) = (code::lookup_form(text), code::repaired(text));
        let exact = self.codes.iter().find(|c| c.lookup == lookup);
        exact.or_else(|| self.codes.iter().find(|c| c.kind == "generated" && c.repaired == repaired))
    }

    /// The lead with this code of its own.
    fn own_code(&self, text: &str) -> Option<&KnownLead> {
        self.leads.get(&id::parse_lead_code(text)?)
    }

    /// The one lead a row's address or phone means.
    fn by_contact(&self, p: &Person) -> Option<i64> {
        if let Some(key) = &p.contact.email_key {
            return self.by_email.get(key).copied();
        }
        match self.by_phone.get(p.contact.phone_key.as_ref()?)?.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }
}

/// The plan for each of some rows.
pub async fn plan(conn: &mut Conn, import: &Import, actor: &Arc<Actor>, people: &[Person]) -> DbResult<Vec<Plan>> {
    let known = Known::read(conn, import, people).await?;
    let planner = Planner { import, actor, known };
    Ok(people.iter().map(|p| planner.plan(p).unwrap_or_else(Plan::Told)).collect())
}

struct Planner<'p> {
    import: &'p Import,
    actor: &'p Arc<Actor>,
    known: Known,
}

impl Planner<'_> {
    fn plan(&self, p: &Person) -> Result<Plan, Verdict> {
        match self.import.kind() {
            Kind::Qualifications => self.qualification(p),
            _ => {
                self.is_new(p)?;
                match self.claim(p) {
                    Ok(claim) => Ok(self.add(p, claim, false)),
                    // The person comes all the same.
                    Err(why) => Ok(match self.add(p, None, false) {
                        Plan::Event(event, _) => Plan::Alone(event, why.reason.map(String::from).unwrap_or_default()),
                        told => told,
                    }),
                }
            }
        }
    }

    /// A lead that is found by nothing but its id is there already where its own file comes back.
    fn is_new(&self, p: &Person) -> Result<(), Verdict> {
        let by_contact = p.contact.email_key.is_some() || p.contact.phone_key.is_some();
        match p.own_id.filter(|id| (p.is_repeat || !by_contact) && self.known.leads.contains_key(id)) {
            None => Ok(()),
            Some(id) => Err(Verdict {
                person: Some(p.key.as_str().into()),
                lead_id: Some(id),
                ..Verdict::new(p.line, Fate::Already)
            }),
        }
    }

    fn qualification(&self, p: &Person) -> Result<Plan, Verdict> {
        let Some(text) = &p.code else {
            if p.referrer.is_some() && (p.email.is_some() || p.phone.is_some()) {
                let claim = self.claim(p)?;
                return Ok(self.add(p, claim, true));
            }
            let lead = self.known.by_contact(p).ok_or_else(|| self.nobody(p))?;
            return self.qualify(p, lead);
        };
        if let Some(lead) = self.known.own_code(text) {
            let other =
                p.contact.email_key.is_some() && lead.email_key.is_some() && lead.email_key != p.contact.email_key;
            if other {
                let why = "The code is the own code of another lead than the e-mail. One of the two is wrong.";
                return Err(Verdict::because(p.line, Fate::Invalid, Some(Field::Code), why));
            }
            return self.qualify(p, lead.id);
        }
        let Some(code) = self.known.code(text) else { return Err(self.unknown_code(p, text)) };
        if p.email.is_some() || p.phone.is_some() {
            return Ok(self.add(p, Some(ClaimBy::Code(text.clone())), true));
        }
        match self.known.of_referrer.get(&code.referrer_id) {
            Some(of) if of.leads == 1 => self.qualify(p, of.only),
            of => {
                let (leads, qualified) = of.map_or((0, 0), |of| (of.leads, of.qualified));
                let why = format!(
                    "The code’s referrer has {leads} leads in this campaign, {qualified} of them qualified. Add the customer’s e-mail, so that it is clear who is meant."
                );
                Err(Verdict::because(p.line, Fate::Invalid, Some(Field::Code), why))
            }
        }
    }

    /// The claimed referrer of the row's person.
    fn claim(&self, p: &Person) -> Result<Option<ClaimBy>, Verdict> {
        if let Some(text) = &p.code {
            return Ok(Some(ClaimBy::Code(text.clone())));
        }
        let Some(email) = &p.referrer else { return Ok(None) };
        match self.known.referrers.get(email.key()) {
            Some(enrollment) => Ok(Some(ClaimBy::Enrollment((*enrollment).into()))),
            None => {
                let why = format!("No referrer of this campaign has the e-mail {}.", email.text());
                Err(Verdict::because(p.line, Fate::UnknownCode, Some(Field::ReferrerEmail), why))
            }
        }
    }

    fn unknown_code(&self, p: &Person, text: &str) -> Verdict {
        let why = format!("No code of this business reads like “{text}”.");
        Verdict::because(p.line, Fate::UnknownCode, Some(Field::Code), why)
    }

    fn nobody(&self, p: &Person) -> Verdict {
        let field = if p.email.is_some() { Field::Email } else { Field::Phone };
        let several = p.email.is_none()
            && p.contact.phone_key.as_ref().and_then(|k| self.known.by_phone.get(k)).is_some_and(|l| l.len() > 1);
        let why = if several {
            "Several leads of this campaign have this phone number. Add the e-mail."
        } else {
            "No lead of this campaign has this contact. Add the referral code, and the lead is made."
        };
        Verdict::because(p.line, Fate::Unknown, Some(field), why)
    }

    fn event(&self, what: impl Into<What>, claimed: Option<i64>) -> Plan {
        let by = By::new(self.import.business_id, self.actor);
        Plan::Event(Box::new(Event::new(by, what)), claimed)
    }

    fn qualify(&self, p: &Person, lead_id: i64) -> Result<Plan, Verdict> {
        if self.known.leads.get(&lead_id).is_some_and(|l| l.archived_at.is_some()) {
            return Err(Verdict::because(p.line, Fate::Invalid, None, "The lead is archived. Restore it first."));
        }
        Ok(self.event(Qualify { lead_id: lead_id.into(), qualified: true, reason: None }, None))
    }

    fn add(&self, p: &Person, claim: Option<ClaimBy>, qualify: bool) -> Plan {
        let mut contact = p.contact.clone();
        if contact.facts[LeadFact::Source].is_none() && claim.is_some() {
            contact.facts[LeadFact::Source] = Some("referral".into());
        }
        let claimed = match &claim {
            Some(ClaimBy::Code(text)) => self.known.code(text).map(|c| c.referrer_id),
            _ => None,
        };
        let add = AddLead {
            scope: Scope::new(self.import.campaign_id, false),
            contact: Box::new(contact),
            status: p.status.unwrap_or(Status::New),
            source_origin: SourceOrigin::Dashboard,
            claim: claim.map(|by| Claim { kind: TouchKind::Import, by }),
            recorded_by: None,
            repeats_allowed: p.is_repeat,
            qualify,
        };
        self.event(add, claimed)
    }
}

/// True for a code that nobody has, or has any more: the row is to be looked at.
fn counts_for_nobody(why: ClaimRefusal) -> bool {
    matches!(why, ClaimRefusal::UnknownCode | ClaimRefusal::RetiredCode)
}

/// The meaning of an engine's outcome for the row, with what of the row was left out.
pub fn verdict(p: &Person, claimed: Option<i64>, decided: Decided<Outcome>) -> Verdict {
    let verdict = decided_as(p, claimed, decided);
    if verdict.person.is_none() {
        return verdict;
    }
    let is_new = verdict.fate == Fate::New;
    Verdict {
        fate: if p.lacks_referrer && is_new { Fate::UnknownCode } else { verdict.fate },
        code_key: p.claim_key().map(Into::into),
        ..verdict.noting(&p.notes)
    }
}

fn decided_as(p: &Person, claimed: Option<i64>, decided: Decided<Outcome>) -> Verdict {
    let accepted = |fate, lead_id: LeadId| Verdict {
        person: Some(p.key.as_str().into()),
        lead_id: Some(lead_id.0),
        ..Verdict::new(p.line, fate)
    };
    match decided {
        Ok(Outcome::AddLead(AddLeadOutcome::Added { lead_id, referrer_id, refused, .. })) => {
            let fate = if refused.is_some_and(counts_for_nobody) { Fate::UnknownCode } else { Fate::New };
            let reason = refused.map(|r| format!("Added without a referrer: {}.", r.sentence()));
            let referrer_id = referrer_id.map(|id| id.0);
            Verdict {
                referrer_id,
                reason: reason.map(String::into),
                field: refused.map(|_| Field::Code),
                ..accepted(fate, lead_id)
            }
        }
        Ok(Outcome::AddLead(AddLeadOutcome::Known {
            lead_id, referrer_id, attributed, qualified, refused, ..
        })) => {
            let referrer_id = referrer_id.map(|id| id.0);
            let changed = attributed || qualified == Changed::Yes;
            let stays = claimed.is_some() && referrer_id.is_some() && claimed != referrer_id;
            let reason = match refused {
                Some(r) => Some(format!("Known already; its referrer did not change: {}.", r.sentence())),
                None if stays => {
                    Some("Another referrer came first and stays. The code is saved with the lead's claims.".into())
                }
                None => None,
            };
            let fate = match refused {
                _ if changed => Fate::Updated,
                Some(why) if counts_for_nobody(why) => Fate::UnknownCode,
                _ => Fate::Already,
            };
            Verdict { referrer_id, reason: reason.map(String::into), ..accepted(fate, lead_id) }
        }
        Ok(Outcome::Qualify(Qualified { lead_id, changed })) => {
            accepted(if changed { Fate::Updated } else { Fate::Already }, lead_id)
        }
        Err(Rejected::Refused(why)) => Verdict::because(p.line, Fate::Invalid, None, why.sentence()),
        _ => Verdict::because(p.line, Fate::Invalid, None, "The lead no longer exists."),
    }
}
