//! The referrer of a new lead, by code or by name: where the typed text is no code, a person is asked who is meant.

use crate::codes;
use crate::engine::ClaimBy;
use crate::record::{Asked, Candidate, candidates};
use crate::shell::Page;
use crate::web::{Choice, Fault, Form};

/// The answer that leaves it to staff.
const KEEP: &str = "keep";

/// Whose lead it is.
pub(super) enum Whom {
    Claim(ClaimBy),
    /// One of these, or what was typed as it is.
    Ask(Vec<Choice>),
}

pub(super) async fn whom(page: &Page, form: &Form, typed: &str) -> Result<Whom, Fault> {
    // An answer counts for the text that it was given to.
    let answer = Some(form.value("take")).filter(|take| !take.is_empty() && form.value("asked") == typed);
    if answer == Some(KEEP) {
        let is_code = typed.contains(|c: char| c.is_ascii_digit()) || !typed.contains(char::is_whitespace);
        let by = if is_code { ClaimBy::Code(typed.to_owned()) } else { ClaimBy::Said(typed.to_owned()) };
        return Ok(Whom::Claim(by));
    }
    let found = codes::find(&mut page.read().await?, page.member.business_id, typed).await?;
    if let Some((code, _)) = found {
        return Ok(Whom::Claim(ClaimBy::Code(code.text)));
    }
    let asked = Asked {
        business_id: page.member.business_id,
        campaign_id: page.campaign.id,
        country: &page.member.country,
        text: typed,
    };
    let people = candidates(&page.app.db, asked).await?;
    if let Some(chosen) = people.iter().find(|c| answer == Some(&c.enrollment_id.to_string())) {
        return Ok(Whom::Claim(ClaimBy::Enrollment(chosen.enrollment_id.into())));
    }
    let first = people.first().map(|c| c.enrollment_id.to_string()).unwrap_or_else(|| KEEP.to_owned());
    let kept = (KEEP.to_owned(), format!("None of them: keep “{typed}” for staff to decide"));
    Ok(Whom::Ask(Choice::list(people.iter().map(named).chain([kept]), &first)))
}

fn named(candidate: &Candidate) -> (String, String) {
    let differs = if candidate.differs.is_empty() { String::new() } else { format!(" ({})", candidate.differs) };
    let name = format!("{} {}{differs}", candidate.name, candidate.code);
    (candidate.enrollment_id.to_string(), name.trim().to_owned())
}

/// What the form says above the choices.
pub(super) fn question(typed: &str, whom: &[Choice]) -> String {
    match whom.len() {
        1 => {
            format!("No code reads like “{typed}”, and no referrer has such a name. Correct it, or keep it for staff.")
        }
        _ => format!("“{typed}” is not a code. Choose who is meant."),
    }
}
