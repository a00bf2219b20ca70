//! Why something is as it is: the page of staff.

use askama::Template;
use axum::extract::Path;

use super::share::Links;
use crate::id::Kind;
use crate::shell::{Frame, Page};
use crate::trace::{self, Answer, Reader, Step, Thing, Trace};
use crate::users::Right;
use crate::web::{Fault, PageResult, html};
use crate::when::When;

#[derive(Template)]
#[template(path = "trace/show.html")]
struct ShowPage {
    frame: Frame,
    t: Trace,
    steps: Vec<Shown>,
    /// The page of the thing itself.
    thing_url: String,
    thing: &'static str,
    share: Links,
}

/// A step with its moment in words.
pub(super) struct Shown {
    pub step: Step,
    pub when: Option<When>,
    pub url: String,
}

fn url(page: &Page, step: &Step) -> String {
    match step.subject {
        Some((Kind::Commission, id)) => Thing::Commission(id).path(),
        Some((Kind::PayoutLine, id)) => Thing::PayoutLine(id).path(),
        Some((Kind::Payout, id)) if page.member.may(Right::Pay) => format!("/payouts/{id}"),
        _ => String::new(),
    }
}

pub(super) async fn show(page: Page, Path((of, id)): Path<(String, i64)>) -> PageResult {
    let thing = Thing::of_path(&of, id).ok_or(Fault::NotFound)?;
    // Payout details are for those who may pay.
    let is_line = matches!(thing, Thing::PayoutLine(_));
    let reader = if is_line && !page.member.may(Right::Pay) { Reader::Stranger } else { Reader::Staff };
    let answer = trace::of(&mut page.read().await?, page.member.business_id, thing, reader).await?;
    let Some(Answer::Steps(t)) = answer else { return Err(Fault::NotFound) };
    let today = page.today();
    let steps = t.steps.iter().map(|step| Shown {
        when: match (step.at, &step.day) {
            (Some(at), _) => Some(page.when(at)),
            (None, Some(day)) => Some(When::on_text(today, day)),
            (None, None) => None,
        },
        url: url(&page, step),
        step: step.clone(),
    });
    let steps = steps.collect();
    let payout = t.payout_id.filter(|_| page.member.may(Right::Pay));
    let (place, thing_url, name) = match thing {
        Thing::Commission(_) => ("commissions", format!("/commissions/{id}"), "The commission"),
        Thing::Lead(_) => ("leads", format!("/leads/{id}"), "The lead"),
        Thing::PayoutLine(_) => {
            ("payouts", payout.map(|id| format!("/payouts/{id}")).unwrap_or_default(), "The payout")
        }
        Thing::Balance(..) => ("referrers", format!("/referrers/{id}"), "The referrer"),
    };
    html(&ShowPage {
        frame: page.frame(place).await?,
        steps,
        thing_url,
        thing: name,
        share: Links::of(&page, thing).await?,
        t,
    })
}
