//! The facts of a lead that calls send, as the engine takes them.

use super::shape::{LeadChange, NewLead};
use crate::api::Caller;
use crate::api::field::{Clearable, ClearableNumber};
use crate::api::problem::FieldProblem;
use crate::api::v1::store::leads::LeadRow;
use crate::engine::{AddLead, Claim, ClaimBy, Contact, Scope, SourceOrigin, Status, TouchKind};
use crate::phone::Phone;

impl NewLead {
    /// The event that adds it, in a campaign.
    pub fn event(self, campaign_id: i64, caller: &Caller) -> Result<AddLead, FieldProblem> {
        let phone = self.phone.as_deref().map(|text| Phone::parse(text, &caller.key.row.country)).transpose();
        let phone = phone.map_err(|why| FieldProblem::wrong("phone", why))?;
        let budget = self.budget.map(|b| {
            crate::leads::budget::plain(&b.0).ok_or_else(|| FieldProblem::wrong("budget", "must be a plain decimal"))
        });
        let email = self.email.map(|line| line.0);
        let line = |text: Option<String>| text;
        let code = self.code.map(|code| code.0);
        let source = self.source.map(|s| s.0).or_else(|| code.is_some().then(|| "referral".to_owned()));
        Ok(AddLead {
            scope: Scope::new(campaign_id, caller.test()),
            contact: Box::new(Contact {
                name: self.name.0,
                email_key: email.as_deref().and_then(crate::email::key_of),
                email,
                phone_key: phone.as_ref().map(|p| p.e164().to_owned()),
                phone: phone.map(|p| p.text().to_owned()),
                company: line(self.company.map(|l| l.0)),
                jobtitle: line(self.jobtitle.map(|l| l.0)),
                industry: line(self.industry.map(|l| l.0)),
                website: line(self.website.map(|l| l.0)),
                request: self.request.map(|t| t.0),
                budget: budget.transpose()?,
                country: self.country.map(|l| l.0),
                region: self.state.map(|l| l.0),
                address: self.address.map(|t| t.0),
                source,
            }),
            status: self.status.map_or(Status::New, |s| s.0),
            source_origin: SourceOrigin::Api,
            claim: code.map(|text| Claim { kind: TouchKind::Code, by: ClaimBy::Code(text) }),
            recorded_by: None,
            repeats_allowed: false,
            qualify: false,
        })
    }
}

/// A lead's facts with a change made to them.
pub fn changed(row: LeadRow, change: LeadChange, caller: &Caller) -> Result<Contact, FieldProblem> {
    fn or<const N: usize>(change: Option<Clearable<N>>, before: Option<String>) -> Option<String> {
        change.map_or(before, |c| c.0)
    }
    let email = or(change.email, row.email);
    let (phone, phone_key) = match change.phone {
        None => (row.phone, row.phone_key),
        Some(Clearable(None)) => (None, None),
        Some(Clearable(Some(text))) => {
            let phone =
                Phone::parse(&text, &caller.key.row.country).map_err(|why| FieldProblem::wrong("phone", why))?;
            (Some(phone.text().to_owned()), Some(phone.e164().to_owned()))
        }
    };
    let budget = match change.budget {
        None => row.budget,
        Some(ClearableNumber(None)) => None,
        Some(ClearableNumber(Some(text))) => Some(
            crate::leads::budget::plain(&text.0)
                .ok_or_else(|| FieldProblem::wrong("budget", "must be a plain decimal"))?,
        ),
    };
    Ok(Contact {
        name: change.name.map_or(row.name, |n| n.0),
        email_key: email.as_deref().and_then(crate::email::key_of),
        email,
        phone,
        phone_key,
        company: or(change.company, row.company),
        jobtitle: or(change.jobtitle, row.jobtitle),
        industry: or(change.industry, row.industry),
        website: or(change.website, row.website),
        request: or(change.request, row.request),
        budget,
        country: or(change.country, row.country),
        region: or(change.state, row.region),
        address: or(change.address, row.address),
        source: or(change.source, row.source),
    })
}
