//! Adding and editing a lead.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;

use super::find::find;
use super::list::sentence;
use super::qualification::{refused, set_status};
use super::show::may_mend;
use super::whom::{self, Whom};
use crate::email;
use crate::engine::{
    AddLead, AddLeadOutcome, Claim, ClaimBy, ClaimRefusal, Contact, EditLead, Rejected, Scope, SourceOrigin, Status,
    TouchKind,
};
use crate::leads::LeadRow;
use crate::leads::budget;
use crate::leads::fields::{Kind, LeadFacts, Part, Plain, TABLE};
use crate::phone::Phone;
use crate::shell::{Frame, Page};
use crate::users::Right;
use crate::web::page::html_with;
use crate::web::{Choice, Fault, Flash, Form, PageResult, html};

#[derive(Template)]
#[template(path = "leads/form.html")]
struct FormPage {
    frame: Frame,
    /// The lead being edited: its id and name.
    editing: Option<(i64, String)>,
    statuses: Vec<Choice>,
    /// The lead that has what was typed: its id and name.
    known: Option<(i64, String)>,
    parts: [PartOfForm; 3],
    /// False for a rep, who sets no status.
    full: bool,
    /// The referrers who may be meant by the typed code or name.
    whom: Vec<Choice>,
    form: Form,
}

/// Plain facts that stand together.
struct PartOfForm {
    title: &'static str,
    hint: &'static str,
    fields: Vec<&'static Plain>,
}

const PARTS: [(Part, &str, &str); 3] = [
    (Part::Work, "Work", "What is known about the company."),
    (Part::Request, "Request", "What they asked for."),
    (Part::Place, "Place", "Where they are."),
];

async fn page_of(page: &Page, editing: Option<(i64, String)>, status: &str, form: Form) -> Result<FormPage, Fault> {
    let statuses = Choice::list(Status::ALL.map(|s| (s.word(), sentence(s.word()))), status);
    let fields = |of: Part| TABLE.iter().filter(|plain| plain.part == of).collect();
    let parts = PARTS.map(|(part, title, hint)| PartOfForm { title, hint, fields: fields(part) });
    Ok(FormPage {
        frame: page.frame("leads").await?,
        editing,
        statuses,
        known: None,
        parts,
        full: page.member.may(Right::EditLeads),
        whom: Vec::new(),
        form,
    })
}

pub(super) async fn new(page: Page) -> PageResult {
    html(&page_of(&page, None, "new", Form::default()).await?)
}

/// Room for the longest code, spelled out: sixteen letters for each of its forty.
const LONGEST_SAID: usize = 700;

pub(super) async fn create(page: Page, mut form: Form) -> PageResult {
    let contact = contact_of(&mut form, &page.member.country, None);
    let full = page.member.may(Right::EditLeads);
    let status = if full { form.choice("status", "The status", Status::parse) } else { Some(Status::New) };
    let typed = form.optional_line("code", "The referrer", LONGEST_SAID);
    let (Some(contact), Some(status), true) = (contact, status, form.is_fine()) else {
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page_of(&page, None, "new", form).await?);
    };
    let claim = match typed {
        None => None,
        Some(text) => match whom::whom(&page, &form, &text).await? {
            Whom::Claim(by) => {
                let kind = if matches!(by, ClaimBy::Code(_)) { TouchKind::Code } else { TouchKind::Verbal };
                Some(Claim { kind, by })
            }
            Whom::Ask(whom) => {
                form.fail("code", whom::question(&text, &whom));
                let shown = FormPage { whom, ..page_of(&page, None, "new", form).await? };
                return html_with(StatusCode::UNPROCESSABLE_ENTITY, &shown);
            }
        },
    };
    let note = note_on(&contact);
    let (name, email_key) = (contact.name.clone(), contact.email_key.clone());
    let add = AddLead {
        scope: Scope::new(page.campaign.id, page.test),
        contact: Box::new(contact),
        status,
        source_origin: SourceOrigin::Dashboard,
        claim,
        recorded_by: Some(page.member.user_id.into()),
        repeats_allowed: false,
        qualify: false,
    };
    let (id, flash) = match page.app.engine.one(page.by(), add).await? {
        Ok(AddLeadOutcome::Added { lead_id, refused: None, .. }) => {
            (lead_id, Flash::good(format!("{name} was added.{note}")))
        }
        Ok(AddLeadOutcome::Added { lead_id, refused: Some(why), .. }) => (lead_id, without_code(&name, why)),
        Ok(AddLeadOutcome::Known { lead_id, attributed: false, completed: false, .. }) => {
            return known(&page, lead_id.0, email_key.as_deref(), form).await;
        }
        Ok(AddLeadOutcome::Known { lead_id, attributed, completed, .. }) => {
            let code = if attributed { " The code counts for it." } else { "" };
            let words = if completed {
                format!("This lead has that phone number already. The e-mail address was added to it.{code}")
            } else {
                format!("This lead has that e-mail address or phone number already. Nothing else was added.{code}")
            };
            (lead_id, Flash::info(words))
        }
        Err(why) => return page.go("/leads/new", refused(why)?).await,
    };
    page.go(&format!("/leads/{id}"), flash).await
}

/// The form again, as it was typed, with the way to the lead that has the address or the number.
async fn known(page: &Page, lead_id: i64, email_key: Option<&str>, mut form: Form) -> PageResult {
    let lead = match find(page, lead_id).await {
        Err(Fault::Colleague) => {
            form.fail("name", "A colleague recorded this person already, so nothing was added.");
            return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page_of(page, None, "new", form).await?);
        }
        found => found?,
    };
    let by_email = email_key.is_some() && lead.email_key.as_deref() == email_key;
    let (field, what) = if by_email { ("email", "e-mail address") } else { ("phone", "phone number") };
    form.fail(field, format!("{} has this {what} already, so nothing was added.", lead.name));
    let shown = FormPage { known: Some((lead_id, lead.name)), ..page_of(page, None, "new", form).await? };
    html_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
}

fn without_code(name: &str, why: ClaimRefusal) -> Flash {
    let mut flash =
        Flash::info(format!("{name} was added without a referrer: {}. The inbox has an item.", why.sentence()));
    flash.kind = "warning".into();
    flash
}

fn note_on(contact: &Contact) -> &'static str {
    match (&contact.email, &contact.email_key) {
        (Some(_), None) => " The e-mail is not an address. It is saved as text and finds no other lead.",
        _ => "",
    }
}

/// The lead, if this person may change it.
async fn mended(page: &Page, id: i64) -> Result<LeadRow, Fault> {
    let lead = find(page, id).await?;
    let why = "You can change a lead on the day you recorded it. Ask marketing to change this one.";
    if may_mend(page, &lead) { Ok(lead) } else { Err(Fault::Bad(why.to_owned())) }
}

pub(super) async fn edit(page: Page, Path(id): Path<i64>) -> PageResult {
    let lead = mended(&page, id).await?;
    let form = form_of(&lead);
    html(&page_of(&page, Some((id, lead.name)), &lead.status, form).await?)
}

pub(super) async fn update(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    let lead = mended(&page, id).await?;
    let full = page.member.may(Right::EditLeads);
    let contact = contact_of(&mut form, &page.member.country, Some(&lead));
    let status = if full { form.choice("status", "The status", Status::parse) } else { Status::parse(&lead.status) };
    let (Some(contact), Some(status), true) = (contact, status, form.is_fine()) else {
        let shown = page_of(&page, Some((id, lead.name)), &lead.status, form).await?;
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &shown);
    };
    let own = format!("/leads/{id}");
    let note = note_on(&contact);
    let edit = EditLead {
        lead_id: id.into(),
        contact: Box::new(contact),
        active: if full { form.checked("active") } else { lead.active },
    };
    let changed = match page.app.engine.one(page.by(), edit).await? {
        Ok(done) => done.changed,
        Err(Rejected::Refused(why)) => {
            form.fail("email", why.sentence());
            let shown = page_of(&page, Some((id, lead.name)), &lead.status, form).await?;
            return html_with(StatusCode::UNPROCESSABLE_ENTITY, &shown);
        }
        Err(why) => return page.go(&own, refused(why)?).await,
    };
    if status.word() != lead.status {
        let saved = if changed { "The changes are saved. " } else { "" };
        return set_status(&page, &lead, status, &form, &own, saved).await;
    }
    let flash = if changed { Flash::good(format!("Saved.{note}")) } else { Flash::info("Nothing was changed.") };
    page.go(&own, flash).await
}

fn form_of(lead: &LeadRow) -> Form {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut form = Form::default();
    for (name, value) in [
        ("name", lead.name.clone()),
        ("email", text(&lead.email)),
        ("phone", text(&lead.phone)),
        ("status", lead.status.clone()),
        ("active", if lead.active { "yes" } else { "" }.to_owned()),
    ] {
        form.set(name, value);
    }
    for plain in &TABLE {
        form.set(plain.column, text(&lead.facts[plain.fact]));
    }
    form
}

/// The facts of the form. Unchanged text that an API stored is not checked again.
fn contact_of(form: &mut Form, country: &str, known: Option<&LeadRow>) -> Option<Contact> {
    let name = form.line("name", "The name", 200);
    let email = form.optional_line("email", "The e-mail", 320);
    let phone = form.optional_line("phone", "The phone number", 60);
    let unchanged = known.is_some_and(|lead| lead.phone == phone);
    let parsed = match phone.as_deref().map(|text| Phone::parse(text, country)) {
        Some(Err(why)) if !unchanged => {
            form.fail("phone", why.sentence(country));
            None
        }
        parsed => parsed.and_then(Result::ok),
    };
    let facts = facts_of(form, known);
    Some(Contact {
        email_key: email.as_deref().and_then(email::key_of),
        email,
        phone_key: parsed.as_ref().map(|p| p.e164().to_owned()),
        phone: parsed.as_ref().map(|p| p.text().to_owned()).or(phone),
        facts,
        marks: None,
        history: crate::engine::History::default(),
        name: name?,
    })
}

fn facts_of(form: &mut Form, known: Option<&LeadRow>) -> LeadFacts {
    let mut facts = LeadFacts::default();
    for plain in &TABLE {
        let the = format!("The {}", plain.label.to_lowercase());
        let typed = match plain.kind {
            Kind::Text => form.optional_text(plain.column, &the, plain.most),
            _ => form.optional_line(plain.column, &the, plain.most),
        };
        let number = typed.as_deref().filter(|_| plain.kind == Kind::Number).map(budget::typed);
        if number == Some(None) && known.and_then(|lead| lead.facts[plain.fact].clone()) != typed {
            form.fail(plain.column, format!("{the} must be a number such as 5000 or 1,250.50."));
        }
        facts[plain.fact] = number.flatten().or(typed);
    }
    facts
}
